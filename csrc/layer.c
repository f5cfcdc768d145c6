#include "layer.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"

size_t mt_volume(mtcnn_shape shape)
{
    return (size_t)shape.channels * (size_t)shape.height * (size_t)shape.width;
}

int mt_parse_nothing(mt_layer *layer, const mt_section *section, const int *channels,
                     mtcnn_error *error)
{
    (void)section;
    (void)channels;
    (void)error;
    layer->out.channels = layer->in.channels;
    return MTCNN_OK;
}

int mt_parse_activation(mt_layer *layer, const mt_section *section, mtcnn_error *error)
{
    const char *name;
    int status = mt_option_text(section, "activation", &name, error);
    if (!status && !mt_activation_of(name, &layer->activation))
        status = mt_fail(error, MTCNN_ERROR_CFG, "%s:%d: [%s] unknown activation '%s'; known are%s",
                         section->path, mt_option_find(section, "activation")->line, section->name,
                         name, mt_activation_names());
    return status;
}

int mt_refuse(const mt_section *section, const char *key, const char *accepted, mtcnn_error *error)
{
    const mt_option *option = mt_option_find(section, key);
    if (!option || !strcmp(option->value, accepted))
        return MTCNN_OK;
    return mt_fail(error, MTCNN_ERROR_CFG, "%s:%d: [%s] %s=%s is not supported, only %s=%s is",
                   section->path, option->line, section->name, key, option->value, key, accepted);
}

int mt_refuse_strides(const mt_layer *layer, const mt_section *section, mtcnn_error *error)
{
    static const char *const keys[] = {"stride_x", "stride_y"};
    for (int i = 0; i < 2; i++) {
        int stride;
        int status = mt_option_int(section, keys[i], layer->stride, 1, MT_MAX_KERNEL, &stride,
                                   error);
        if (!status && stride != layer->stride)
            status = mt_fail_layer(layer, error, "%s=%d differs from stride=%d: not supported",
                                   keys[i], stride, layer->stride);
        if (status)
            return status;
    }
    return MTCNN_OK;
}

int mt_same_shape(const mt_layer *layer, const mtcnn_shape *in, mtcnn_shape *out,
                  mtcnn_error *error)
{
    (void)layer;
    (void)error;
    *out = in[0];
    return MTCNN_OK;
}

int mt_fail_layer(const mt_layer *layer, mtcnn_error *error, const char *format, ...)
{
    char text[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return mt_fail(error, MTCNN_ERROR_CFG, "%s:%d: [%s]: %s", layer->path, layer->line,
                   layer->type->section, text);
}

bool mt_load_linear(mt_layer *layer, const float *values, size_t outputs, size_t inputs,
                    bool normalize_last, bool transposed)
{
    const size_t count = outputs * inputs;
    const float *weights = values + outputs;
    const float *scales = weights + count; /* then means, then variances */
    if (layer->batch_normalize && !normalize_last) {
        scales = values + outputs;
        weights = scales + 3 * outputs;
    }
    layer->biases = values;
    layer->weights = weights;
    if (!layer->batch_normalize && !transposed)
        return true;

    float *biases = layer->folded = malloc((outputs + count) * sizeof *layer->folded);
    if (!biases)
        return false;
    layer->biases = biases;
    layer->weights = biases + outputs;
    for (size_t o = 0; o < outputs; o++) {
        float *to = biases + outputs + o * inputs;
        for (size_t i = 0; i < inputs; i++)
            to[i] = weights[transposed ? i * outputs + o : o * inputs + i];
        biases[o] = values[o];
        if (!layer->batch_normalize)
            continue;
        const float *means = scales + outputs, *variances = means + outputs;
        /* Darknet adds its epsilon after the square root (normalize_cpu). */
        const double factor = (double)scales[o] / (sqrt((double)variances[o]) + 1e-6);
        biases[o] = (float)((double)values[o] - factor * (double)means[o]);
        for (size_t i = 0; i < inputs; i++)
            to[i] = (float)(factor * (double)to[i]);
    }
    return true;
}
