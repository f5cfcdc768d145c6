/* [route] (joins channels of earlier layers) and [shortcut] (adds an earlier layer). */
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "layer.h"

/*
 * Tensor of a cfg's layer number: counted from the first layer, or, negative, back from this one.
 * before: the number of this layer.
 */
static int tensor_of(const mt_layer *layer, int number, int before, int *tensor, mtcnn_error *error)
{
    int absolute = number < 0 ? before + number : number;
    if (number < -before || absolute >= before)
        return mt_fail_layer(layer, error,
                             "layer %d does not exist before this one, which is layer %d", number,
                             before);
    *tensor = absolute + 1;
    return MTCNN_OK;
}

static int parse_route(mt_layer *layer, const mt_section *section, const int *channels,
                       mtcnn_error *error)
{
    const int before = layer->inputs[0]; /* layers before this one = the tensor before */
    int status = mt_refuse(section, "groups", "1", error);
    if (status)
        return status;
    free(layer->inputs);
    layer->inputs = NULL;
    status = mt_option_int_list(section, "layers", &layer->inputs, &layer->input_count, error);
    if (status)
        return status;
    layer->line = mt_option_find(section, "layers")->line; /* what messages are about */
    if (layer->input_count > MT_MAX_INPUTS)
        return mt_fail_layer(layer, error, "joins more than %d layers", MT_MAX_INPUTS);
    layer->out.channels = 0;
    for (int i = 0; i < layer->input_count; i++) {
        status = tensor_of(layer, layer->inputs[i], before, &layer->inputs[i], error);
        if (status)
            return status;
        layer->out.channels += channels[layer->inputs[i]];
        if (layer->out.channels > MT_MAX_CHANNELS)
            return mt_fail_layer(layer, error, "more than %d channels", MT_MAX_CHANNELS);
    }
    return MTCNN_OK;
}

static int shape_route(const mt_layer *layer, const mtcnn_shape *in, mtcnn_shape *out,
                       mtcnn_error *error)
{
    *out = (mtcnn_shape){layer->out.channels, in[0].height, in[0].width};
    for (int i = 1; i < layer->input_count; i++)
        if (in[i].height != in[0].height || in[i].width != in[0].width)
            return mt_fail_layer(layer, error,
                                 "joins layers of different sizes, %dx%d and %dx%d pixels",
                                 in[0].width, in[0].height, in[i].width, in[i].height);
    return MTCNN_OK;
}

static void forward_route(const mt_layer *layer, const mt_pass *pass)
{
    float *output = pass->output;
    for (int b = 0; b < pass->batch; b++) {
        for (int i = 0; i < layer->input_count; i++) {
            size_t count = mt_volume(pass->in[i]);
            memcpy(output, pass->inputs[i] + b * count, count * sizeof *output);
            output += count;
        }
    }
}

const mt_layer_type mt_route = {
    .section = "route",
    .keys = "layers groups group_id stream wait_stream" MT_KEYS_OF_ALL,
    .parse = parse_route,
    .shape = shape_route,
    .forward = forward_route,
};

static int parse_shortcut(mt_layer *layer, const mt_section *section, const int *channels,
                          mtcnn_error *error)
{
    const int before = layer->inputs[0];
    int from, other = 0, status;
    layer->out.channels = layer->in.channels;
    if ((status = mt_option_int_required(section, "from", -before, before, &from, error)) ||
        (status = tensor_of(layer, from, before, &other, error)) ||
        (status = mt_parse_activation(layer, section, error)) ||
        (status = mt_refuse(section, "alpha", "1", error)) ||
        (status = mt_refuse(section, "beta", "1", error)) ||
        (status = mt_refuse(section, "weights_type", "none", error)))
        return status;
    if (channels[other] != layer->in.channels)
        return mt_fail_layer(layer, error, "adds %d channels to %d: they must be as many",
                             channels[other], layer->in.channels);
    int *inputs = realloc(layer->inputs, 2 * sizeof *inputs);
    if (!inputs)
        return mt_fail_memory(error, "a shortcut", 2 * sizeof *inputs);
    layer->inputs = inputs;
    layer->inputs[1] = other;
    layer->input_count = 2;
    return MTCNN_OK;
}

static int shape_shortcut(const mt_layer *layer, const mtcnn_shape *in, mtcnn_shape *out,
                          mtcnn_error *error)
{
    *out = in[0];
    if (in[0].height != in[1].height || in[0].width != in[1].width)
        return mt_fail_layer(layer, error, "adds layers of different sizes, %dx%d and %dx%d pixels",
                             in[0].width, in[0].height, in[1].width, in[1].height);
    return MTCNN_OK;
}

static void forward_shortcut(const mt_layer *layer, const mt_pass *pass)
{
    size_t count = (size_t)pass->batch * mt_volume(pass->out);
    for (size_t i = 0; i < count; i++)
        pass->output[i] = pass->inputs[0][i] + pass->inputs[1][i];
    mt_activate(pass->output, count, 0.0f, layer->activation);
}

const mt_layer_type mt_shortcut = {
    .section = "shortcut",
    .keys = "from activation alpha beta weights_normalization weights_type" MT_KEYS_OF_ALL,
    .parse = parse_shortcut,
    .shape = shape_shortcut,
    .forward = forward_shortcut,
};
