#include "network.h"

#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "gemm.h"

/* Every kind of layer that a cfg may hold. */
static const mt_layer_type *const layer_types[] = {
    &mt_convolutional, &mt_connected, &mt_maxpool, &mt_avgpool, &mt_route,
    &mt_shortcut,      &mt_dropout,   &mt_softmax, &mt_prelu,
};

/* 256 MiB: the largest weights file that is read (file.c), and the most zeros made without one. */
#define MAX_WEIGHTS ((size_t)1 << 26)

#define MAX_LAYERS 4096

/* ---- reading a cfg ---------------------------------------------------------------------------- */

static const mt_layer_type *find_type(const char *section)
{
    for (size_t i = 0; i < sizeof layer_types / sizeof *layer_types; i++) {
        const mt_layer_type *type = layer_types[i];
        if (!strcmp(type->section, section) || (type->alias && !strcmp(type->alias, section)))
            return type;
    }
    return NULL;
}

/* What a cfg may ask for: its own tensors have fewer than 2^31 values each. */
static bool fits(mtcnn_shape shape)
{
    const uint64_t pixels = (uint64_t)shape.height * (uint64_t)shape.width;
    return pixels <= INT32_MAX && pixels * (uint64_t)shape.channels <= INT32_MAX;
}

static int parse_net(mtcnn_network *network, const mt_config *config, mtcnn_error *error)
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
    layer->type = find_type(section->name);
    layer->path = network->path;
    layer->line = section->line;
    if (!layer->type)
        return mt_fail(error, MTCNN_ERROR_CFG,
                       "%s:%d: unknown section [%s]; known are convolutional connected maxpool "
                       "avgpool route shortcut dropout softmax prelu",
                       section->path, section->line, section->name);
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

/* Weights of a network that has no file: all zero. */
static int load_zeros(mtcnn_network *network, mtcnn_error *error)
{
    const float *zeros = network->memory = calloc(network->weight_count + 1, sizeof *zeros);
    for (int i = 0; zeros && i < network->layer_count; i++) {
        mt_layer *layer = &network->layers[i];
        if (!layer->type->load)
            continue;
        if (!layer->type->load(layer, zeros, false))
            zeros = NULL;
        else
            zeros += layer->type->weight_count(layer);
    }
    return zeros ? MTCNN_OK
                 : mt_fail_memory(error, network->path, network->weight_count * sizeof *zeros);
}

int mt_network_load(mtcnn_network **result, const char *cfg, const char *weights, bool builtin,
                    mtcnn_error *error)
{
    *result = NULL;
    mt_config config;
    int status = mt_config_read(&config, cfg, builtin, error);
    if (status)
        return status;

    mtcnn_network *network = calloc(1, sizeof *network);
    if (!network || !(network->path = malloc(strlen(cfg) + 1)))
        status = mt_fail_memory(error, cfg, sizeof *network);
    if (!status) {
        strcpy(network->path, cfg);
        status = parse_net(network, &config, error);
    }
    if (!status)
        status = parse_layers(network, &config, error);
    if (!status)
        status = weights ? mt_weights_load(network, weights, builtin, error)
                         : load_zeros(network, error);
    mt_config_free(&config);
    const mt_kernels *kernels;
    if (!status)
        status = mt_kernels_find(&kernels, error);
    if (!status && mt_pack(&network->packed, network, kernels))
        status = mt_fail_memory(error, cfg, 4 * network->weight_count);
    if (!status && !network->packed)
        status = mt_gemm_load(error);
    if (status)
        mtcnn_network_free(&network);
    *result = network;
    return status;
}

/* ---- laying out a run ------------------------------------------------------------------------- */

/* One tensor of a planned run; tensor 0 is the input, tensor i + 1 the output of layer i. */
typedef struct mt_tensor {
    mtcnn_shape shape;
    int storage;   /* tensor whose place this one shares; itself if it has its own */
    int last_use;  /* last layer that reads the storage */
    size_t offset; /* floats from the arena's start, of a storage */
    size_t volume; /* floats, batch included */
} mt_tensor;

static int infer_shapes(const mtcnn_network *network, mt_tensor *tensors, int height, int width,
                        mtcnn_error *error)
{
    tensors[0].shape = (mtcnn_shape){network->input.channels, height, width};
    for (int i = 0; i <= network->layer_count; i++) {
        mt_tensor *tensor = &tensors[i];
        if (i > 0) {
            const mt_layer *layer = &network->layers[i - 1];
            mtcnn_shape in[MT_MAX_INPUTS];
            for (int j = 0; j < layer->input_count; j++)
                in[j] = tensors[layer->inputs[j]].shape;
            int status = layer->type->shape(layer, in, &tensor->shape, error);
            if (status)
                return status;
        }
        const uint64_t pixels = (uint64_t)tensor->shape.height * (uint64_t)tensor->shape.width;
        if (pixels > INT32_MAX)
            return mt_fail(error, MTCNN_ERROR_ARGUMENT, "%s: an input of %dx%d pixels is too large",
                           network->path, width, height);
    }
    return MTCNN_OK;
}

/* A route of one layer is that layer; an in-place layer takes over an input that none else reads. */
static void share_storage(const mtcnn_network *network, mt_tensor *tensors)
{
    for (int i = 0; i <= network->layer_count; i++) {
        tensors[i].storage = i;
        tensors[i].last_use = i - 1;
    }
    for (int i = 0; i < network->layer_count; i++)
        for (int j = 0; j < network->layers[i].input_count; j++)
            tensors[network->layers[i].inputs[j]].last_use = i;
    tensors[network->layer_count].last_use = network->layer_count;

    for (int i = 0; i < network->layer_count; i++) {
        const mt_layer *layer = &network->layers[i];
        mt_tensor *output = &tensors[i + 1];
        mt_tensor *storage = &tensors[tensors[layer->inputs[0]].storage];
        bool alias = layer->type == &mt_route && layer->input_count == 1;
        bool overwrite = layer->type->in_place && storage->last_use == i;
        if (!alias && !overwrite)
            continue;
        output->storage = (int)(storage - tensors);
        if (output->last_use > storage->last_use)
            storage->last_use = output->last_use;
    }
}

/* Floats of each tensor, whole cache lines; returns false where all of them cannot have room. */
static bool measure(const mtcnn_network *network, mt_tensor *tensors, int batch)
{
    const size_t line = MT_ALIGNMENT / sizeof(float);
    const size_t most = SIZE_MAX / sizeof(float) / 2; /* half for the layers' scratch */
    size_t sum = 0;
    for (int i = 0; i <= network->layer_count; i++) {
        mt_tensor *tensor = &tensors[i];
        const size_t pixels = (size_t)tensor->shape.height * (size_t)tensor->shape.width;
        if (!mt_multiply(pixels, (size_t)tensor->shape.channels, &tensor->volume) ||
            !mt_multiply(tensor->volume, (size_t)batch, &tensor->volume) ||
            tensor->volume > most - line)
            return false;
        tensor->volume = (tensor->volume + line - 1) / line * line;
        if (tensor->volume > most - sum)
            return false;
        sum += tensor->volume;
    }
    return true;
}

/* Gives every storage the lowest place that no other holds at the same time; returns the end. */
static size_t place_storage(const mtcnn_network *network, mt_tensor *tensors)
{
    size_t end = 0;
    for (int i = 0; i <= network->layer_count; i++) {
        mt_tensor *tensor = &tensors[i];
        if (tensor->storage != i)
            continue;
        size_t offset = 0;
        for (bool moved = true; moved;) {
            moved = false;
            for (int j = 0; j < i; j++) {
                const mt_tensor *other = &tensors[j];
                /* The output of layer i - 1 must not meet what that layer or later ones read. */
                if (other->storage != j || other->last_use < i - 1)
                    continue;
                if (offset < other->offset + other->volume &&
                    other->offset < offset + tensor->volume) {
                    offset = other->offset + other->volume;
                    moved = true;
                }
            }
        }
        tensor->offset = offset;
        if (offset + tensor->volume > end)
            end = offset + tensor->volume;
    }
    return end;
}

int mt_workspace_plan(mt_workspace *workspace, const mtcnn_network *network, int batch, int height,
                      int width, mtcnn_error *error)
{
    if (workspace->network == network && workspace->batch == batch && workspace->height == height &&
        workspace->width == width)
        return MTCNN_OK;
    workspace->network = NULL;        /* no plan, until this one is whole */
    int status = mt_gemm_load(error); /* a packed network may be run layer by layer, too */
    if (status)
        return status;

    size_t count = (size_t)network->layer_count + 1;
    if (!mt_reserve(&workspace->tensors, count, sizeof(mt_tensor)))
        return mt_fail_memory(error, network->path, count * sizeof(mt_tensor));
    mt_tensor *tensors = workspace->tensors.data;
    status = infer_shapes(network, tensors, height, width, error);
    if (status)
        return status;
    if (!measure(network, tensors, batch))
        return mt_fail(error, MTCNN_ERROR_MEMORY, "%s: an input of %d x %dx%d pixels is too large",
                       network->path, batch, width, height);
    share_storage(network, tensors);
    const size_t end = place_storage(network, tensors);

    size_t scratch = 0;
    for (int i = 0; i < network->layer_count; i++) {
        const mt_layer *layer = &network->layers[i];
        if (!layer->type->scratch)
            continue;
        size_t need = layer->type->scratch(layer, tensors[layer->inputs[0]].shape,
                                           tensors[i + 1].shape);
        scratch = need > scratch ? need : scratch;
    }
    if (scratch > SIZE_MAX / sizeof(float) / 2 ||
        !mt_reserve(&workspace->arena, end + scratch, sizeof(float)))
        return mt_fail_memory(error, network->path, (end + scratch) * sizeof(float));
    workspace->scratch = end;
    workspace->network = network;
    workspace->batch = batch;
    workspace->height = height;
    workspace->width = width;
    return MTCNN_OK;
}

/* ---- running ---------------------------------------------------------------------------------- */

static float *tensor_data(const mt_workspace *workspace, int index)
{
    const mt_tensor *tensors = workspace->tensors.data;
    return (float *)workspace->arena.data + tensors[tensors[index].storage].offset;
}

float *mt_workspace_input(const mt_workspace *workspace)
{
    return tensor_data(workspace, 0);
}

const float *mt_workspace_run(const mt_workspace *workspace, mtcnn_shape *shape)
{
    const mtcnn_network *network = workspace->network;
    const mt_tensor *tensors = workspace->tensors.data;
    mt_gemm_single_thread();
    for (int i = 0; i < network->layer_count; i++) {
        const mt_layer *layer = &network->layers[i];
        if (layer->type == &mt_route && tensors[i + 1].storage != i + 1)
            continue; /* the same memory already */
        mtcnn_shape in[MT_MAX_INPUTS];
        const float *inputs[MT_MAX_INPUTS];
        for (int j = 0; j < layer->input_count; j++) {
            in[j] = tensors[layer->inputs[j]].shape;
            inputs[j] = tensor_data(workspace, layer->inputs[j]);
        }
        layer->type->forward(layer,
                             &(mt_pass){
                                 .batch = workspace->batch,
                                 .in = in,
                                 .inputs = inputs,
                                 .out = tensors[i + 1].shape,
                                 .output = tensor_data(workspace, i + 1),
                                 .scratch = (float *)workspace->arena.data + workspace->scratch,
                             });
    }
    *shape = tensors[network->layer_count].shape;
    return tensor_data(workspace, network->layer_count);
}

int mt_workspace_shape(mt_workspace *workspace, const mtcnn_network *network, int height, int width,
                       mtcnn_shape *shape, mtcnn_error *error)
{
    workspace->network = NULL; /* the plan's place is used */
    size_t count = (size_t)network->layer_count + 1;
    if (!mt_reserve(&workspace->tensors, count, sizeof(mt_tensor)))
        return mt_fail_memory(error, network->path, count * sizeof(mt_tensor));
    mt_tensor *tensors = workspace->tensors.data;
    int status = infer_shapes(network, tensors, height, width, error);
    if (!status)
        *shape = tensors[network->layer_count].shape;
    return status;
}

void mt_workspace_free(mt_workspace *workspace)
{
    mt_release(&workspace->tensors);
    mt_release(&workspace->arena);
    workspace->network = NULL;
}

/* ---- the public functions --------------------------------------------------------------------- */

int mtcnn_network_load(mtcnn_network **network, const char *cfg, const char *weights,
                       mtcnn_error *error)
{
    mt_clear(error);
    if (network)
        *network = NULL;
    if (!network || !cfg)
        return mt_fail(error, MTCNN_ERROR_ARGUMENT, "mtcnn_network_load: network or cfg is NULL");
    return mt_network_load(network, cfg, weights, false, error);
}

void mtcnn_network_free(mtcnn_network **network)
{
    if (!network || !*network)
        return;
    for (int i = 0; i < (*network)->layer_count; i++) {
        mt_layer *layer = &(*network)->layers[i];
        free(layer->inputs);
        free(layer->folded);
    }
    mt_packed_free(&(*network)->packed);
    free((*network)->memory);
    free((*network)->layers);
    free((*network)->path);
    free(*network);
    *network = NULL;
}

int mtcnn_network_layers(const mtcnn_network *network)
{
    return network->layer_count;
}

size_t mtcnn_network_weights(const mtcnn_network *network)
{
    return network->weight_count;
}

mtcnn_shape mtcnn_network_input(const mtcnn_network *network)
{
    return network->input;
}

int mt_network_check_input(const mtcnn_network *network, int batch, int height, int width,
                           mtcnn_error *error)
{
    const bool fits = batch >= 1 && height >= 1 && width >= 1 && height <= MT_MAX_INPUT_SIDE &&
                      width <= MT_MAX_INPUT_SIDE;
    if (fits && batch > INT_MAX / height)
        return mt_fail(error, MTCNN_ERROR_ARGUMENT,
                       "%s: a batch of %d is too large for inputs of %dx%d pixels", network->path,
                       batch, width, height);
    if (fits)
        return MTCNN_OK;
    return mt_fail(error, MTCNN_ERROR_ARGUMENT,
                   "%s: an input of %d x %dx%d pixels: batch must be at least 1, height and width "
                   "1 to %d",
                   network->path, batch, width, height, MT_MAX_INPUT_SIDE);
}

int mtcnn_network_shape(const mtcnn_network *network, int layer, int height, int width,
                        mtcnn_shape *shape, const char **type, mtcnn_error *error)
{
    mt_clear(error);
    if (!network || !shape)
        return mt_fail(error, MTCNN_ERROR_ARGUMENT,
                       "mtcnn_network_shape: network or shape is NULL");
    int status = mt_network_check_input(network, 1, height, width, error);
    if (status)
        return status;
    if (layer == -1)
        layer = network->layer_count - 1;
    if (layer < 0 || layer >= network->layer_count)
        return mt_fail(error, MTCNN_ERROR_ARGUMENT, "%s: no layer %d; there are 0 to %d",
                       network->path, layer, network->layer_count - 1);
    size_t count = (size_t)network->layer_count + 1;
    mt_tensor *tensors = calloc(count, sizeof *tensors);
    if (!tensors)
        return mt_fail_memory(error, network->path, count * sizeof *tensors);
    status = infer_shapes(network, tensors, height, width, error);
    if (!status) {
        *shape = tensors[layer + 1].shape;
        if (type)
            *type = network->layers[layer].type->section;
    }
    free(tensors);
    return status;
}
