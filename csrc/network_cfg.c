/* From the sections of a cfg to the layers of a network. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "network.h"

/* Every kind of layer that a cfg may hold. */
static const mt_layer_type *const layer_types[] = {
    &mt_convolutional, &mt_connected, &mt_maxpool, &mt_avgpool, &mt_route,
    &mt_shortcut,      &mt_dropout,   &mt_softmax, &mt_prelu,
};
#define LAYER_TYPES (sizeof layer_types / sizeof *layer_types)

/* 256 MiB: the largest weights file that is read (file.c), and the most zeros made without one. */
#define MAX_WEIGHTS ((size_t)1 << 26)

#define MAX_LAYERS 4096

const mt_layer_type *mt_layer_type_of(const char *section)
{
    for (size_t i = 0; i < LAYER_TYPES; i++) {
        const mt_layer_type *type = layer_types[i];
        if (!strcmp(type->section, section) || (type->alias && !strcmp(type->alias, section)))
            return type;
    }
    return NULL;
}

static int fail_section(const mt_section *section, mtcnn_error *error)
{
    char known[128] = "", nearest[32];
    for (size_t i = 0; i < LAYER_TYPES; i++)
        mt_list_name(known, sizeof known, layer_types[i]->section);
    if (mtcnn_nearest(section->name, known, nearest, sizeof nearest))
        return mt_fail(error, MTCNN_ERROR_CFG, "%s:%d: unknown section [%s]; did you mean [%s]?",
                       section->path, section->line, section->name, nearest);
    return mt_fail(error, MTCNN_ERROR_CFG, "%s:%d: unknown section [%s]; known are%s",
                   section->path, section->line, section->name, known);
}

/* What a cfg may ask for: its own tensors have fewer than 2^31 values each. */
static bool fits(mtcnn_shape shape)
{
    const uint64_t pixels = (uint64_t)shape.height * (uint64_t)shape.width;
    return pixels <= INT32_MAX && pixels * (uint64_t)shape.channels <= INT32_MAX;
}

static int parse_input(mtcnn_network *network, const mt_config *config, mtcnn_error *error)
{
    if (config->sections[0].count)
        return mt_fail(error, MTCNN_ERROR_CFG, "%s:%d: an option before the first section",
                       config->path, config->sections[0].options[0].line);
    if (config->count < 2)
        return mt_fail(error, MTCNN_ERROR_CFG, "%s: has no sections; is it a Darknet cfg?",
                       config->path);
    const mt_section *net = &config->sections[1];
    if (strcmp(net->name, "net") && strcmp(net->name, "network"))
        return mt_fail(error, MTCNN_ERROR_CFG, "%s:%d: the first section is [%s], not [net]",
                       config->path, net->line, net->name);
    int status;
    if ((status = mt_option_int_required(net, "width", 1, MT_MAX_INPUT_SIDE, &network->input.width,
                                         error)) ||
        (status = mt_option_int_required(net, "height", 1, MT_MAX_INPUT_SIDE,
                                         &network->input.height, error)) ||
        (status = mt_option_int_required(net, "channels", 1, MT_MAX_CHANNELS,
                                         &network->input.channels, error)))
        return status;
    if (!fits(network->input))
        return mt_fail(error, MTCNN_ERROR_CFG,
                       "%s:%d: [net] of %d channels of %dx%d pixels is too large", config->path,
                       net->line, network->input.channels, network->input.width,
                       network->input.height);
    return MTCNN_OK;
}

/* One section to one layer; shapes [index + 1] holds the shapes of all tensors before. */
static int parse_layer(mtcnn_network *network, int index, const mt_section *section,
                       mtcnn_shape *shapes, int *channels, mtcnn_error *error)
{
    mt_layer *layer = &network->layers[index];
    layer->type = mt_layer_type_of(section->name);
    layer->path = network->path;
    layer->line = section->line;
    if (!layer->type)
        return fail_section(section, error);
    layer->inputs = malloc(sizeof *layer->inputs);
    if (!layer->inputs)
        return mt_fail_memory(error, "a layer", sizeof *layer->inputs);
    layer->inputs[0] = index;
    layer->input_count = 1;
    layer->in = shapes[index];

    int status = layer->type->parse(layer, section, channels, error);
    if (status)
        return status;

    mtcnn_shape *in = malloc((size_t)layer->input_count * sizeof *in);
    if (!in)
        return mt_fail_memory(error, "a layer", (size_t)layer->input_count * sizeof *in);
    for (int i = 0; i < layer->input_count; i++)
        in[i] = shapes[layer->inputs[i]];
    layer->in = in[0];
    status = layer->type->shape(layer, in, &layer->out, error);
    free(in);
    if (status)
        return status;

    if (!fits(layer->out))
        return mt_fail_layer(layer, error, "its output of %d channels of %dx%d pixels is too large",
                             layer->out.channels, layer->out.width, layer->out.height);
    shapes[index + 1] = layer->out;
    channels[index + 1] = layer->out.channels;

    const uint64_t count = layer->type->weight_count ? layer->type->weight_count(layer) : 0;
    if (count > MAX_WEIGHTS - network->weight_count)
        return mt_fail_layer(layer, error, "the network has more than %zu weights up to here",
                             MAX_WEIGHTS);
    network->weight_count += (size_t)count;
    return MTCNN_OK;
}

static int parse_layers(mtcnn_network *network, const mt_config *config, mtcnn_error *error)
{
    int count = config->count - 2;
    if (count < 1 || count > MAX_LAYERS)
        return mt_fail(error, MTCNN_ERROR_CFG,
                       "%s: has %d layers after [net]; 1 to %d were expected", config->path, count,
                       MAX_LAYERS);
    mtcnn_shape *shapes = calloc((size_t)count + 1, sizeof *shapes);
    int *channels = calloc((size_t)count + 1, sizeof *channels);
    network->layers = calloc((size_t)count, sizeof *network->layers);
    int status = MTCNN_OK;
    if (!shapes || !channels || !network->layers)
        status = mt_fail_memory(error, config->path, (size_t)count * sizeof *network->layers);
    if (!status) {
        shapes[0] = network->input;
        channels[0] = network->input.channels;
    }
    for (int i = 0; i < count && !status; i++) {
        network->layer_count = i + 1;
        status = parse_layer(network, i, &config->sections[i + 2], shapes, channels, error);
    }
    free(shapes);
    free(channels);
    return status;
}

int mt_network_parse(mtcnn_network *network, const mt_config *config, mtcnn_error *error)
{
    const int status = parse_input(network, config, error);
    return status ? status : parse_layers(network, config, error);
}
