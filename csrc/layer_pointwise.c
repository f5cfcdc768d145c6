/* [dropout] (nothing when detecting), [prelu] (our dialect) and [softmax]. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "layer.h"

static void copy_unless_in_place(const mt_pass *pass)
{
    if (pass->output != pass->inputs[0])
        memcpy(pass->output, pass->inputs[0],
               (size_t)pass->batch * mt_volume(pass->out) * sizeof *pass->output);
}

static void forward_dropout(const mt_layer *layer, const mt_pass *pass)
{
    (void)layer;
    copy_unless_in_place(pass);
}

const mt_layer_type mt_dropout = {
    .section = "dropout",
    .keys = "probability dropblock dropblock_size_abs dropblock_size_rel" MT_KEYS_OF_ALL,
    .in_place = true,
    .parse = mt_parse_nothing,
    .shape = mt_same_shape,
    .forward = forward_dropout,
};

/* groups: the number of slopes, 1 or one for each channel (as isLouisHsu's fork writes it). */
static int parse_prelu(mt_layer *layer, const mt_section *section, const int *channels,
                       mtcnn_error *error)
{
    (void)channels;
    layer->out.channels = layer->in.channels;
    int status = mt_option_int(section, "groups", 1, 1, MT_MAX_CHANNELS, &layer->groups, error);
    if (!status && layer->groups != 1 && layer->groups != layer->in.channels)
        status = mt_fail_layer(layer, error,
                               "groups=%d slopes for %d channels: give 1, or one a channel",
                               layer->groups, layer->in.channels);
    return status;
}

static void forward_prelu(const mt_layer *layer, const mt_pass *pass)
{
    const size_t pixels = (size_t)pass->out.height * pass->out.width;
    float *values = pass->output;
    copy_unless_in_place(pass); /* one pointer instead of two that may be equal: it vectorises */
    for (int b = 0; b < pass->batch; b++) {
        for (int c = 0; c < pass->out.channels; c++, values += pixels) {
            const float slope = layer->slopes[layer->groups == 1 ? 0 : c];
            for (size_t i = 0; i < pixels; i++) {
                const float positive = values[i] > 0.0f ? values[i] : 0.0f;
                const float negative = values[i] < 0.0f ? values[i] : 0.0f;
                values[i] = positive + slope * negative;
            }
        }
    }
}

static uint64_t weight_count_prelu(const mt_layer *layer)
{
    return (uint64_t)layer->groups;
}

static bool load_prelu(mt_layer *layer, const float *values, bool transposed)
{
    (void)transposed;
    layer->slopes = values;
    return true;
}

const mt_layer_type mt_prelu = {
    .section = "prelu",
    .keys = "groups n" MT_KEYS_OF_ALL,
    .in_place = true,
    .parse = parse_prelu,
    .shape = mt_same_shape,
    .forward = forward_prelu,
    .weight_count = weight_count_prelu,
    .load = load_prelu,
};

static int parse_softmax(mt_layer *layer, const mt_section *section, const int *channels,
                         mtcnn_error *error)
{
    (void)channels;
    layer->out.channels = layer->in.channels;
    layer->temperature = 1.0f;
    int spatial;
    int status = mt_option_int(section, "groups", 1, 1, MT_MAX_CHANNELS, &layer->groups, error);
    if (!status)
        status = mt_option_int(section, "spatial", 0, 0, 1, &spatial, error);
    if (!status && mt_option_find(section, "temperature"))
        status = mt_option_floats(section, "temperature", 1, &layer->temperature, error);
    if (status)
        return status;
    layer->spatial = spatial;
    if (layer->temperature <= 0.0f)
        return mt_fail_layer(layer, error, "temperature must be above 0");
    if (layer->in.channels % layer->groups)
        return mt_fail_layer(layer, error, "groups=%d does not divide %d channels", layer->groups,
                             layer->in.channels);
    return mt_refuse(section, "tree", "", error);
}

/* values [count], stride floats apart, in place */
static void softmax(float *values, size_t count, size_t stride, float temperature)
{
    float largest = values[0];
    for (size_t i = 1; i < count; i++)
        largest = fmaxf(largest, values[i * stride]);
    float sum = 0.0f;
    for (size_t i = 0; i < count; i++) {
        values[i * stride] = expf((values[i * stride] - largest) / temperature);
        sum += values[i * stride];
    }
    for (size_t i = 0; i < count; i++)
        values[i * stride] /= sum;
}

/* Over all values of a group, or, with spatial=1, over the group's channels at each pixel. */
static void forward_softmax(const mt_layer *layer, const mt_pass *pass)
{
    const size_t pixels = (size_t)pass->out.height * pass->out.width;
    const size_t channels = (size_t)pass->out.channels / layer->groups;
    copy_unless_in_place(pass);
    for (size_t g = 0; g < (size_t)pass->batch * layer->groups; g++) {
        float *group = pass->output + g * channels * pixels;
        if (!layer->spatial)
            softmax(group, channels * pixels, 1, layer->temperature);
        for (size_t i = 0; layer->spatial && i < pixels; i++)
            softmax(group + i, channels, pixels, layer->temperature);
    }
}

const mt_layer_type mt_softmax = {
    .section = "softmax",
    .alias = "soft",
    .keys = "groups noloss spatial temperature tree" MT_KEYS_OF_ALL,
    .in_place = true,
    .parse = parse_softmax,
    .shape = mt_same_shape,
    .forward = forward_softmax,
};
