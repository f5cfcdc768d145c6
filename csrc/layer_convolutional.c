/* [convolutional]: convolution, bias, activation; batch normalisation folded when loaded. */
#include "convolution.h"
#include "gemm.h"
#include "layer.h"

static uint64_t kernel_floats(const mt_layer *layer)
{
    return (uint64_t)(layer->in.channels / layer->groups) * layer->size * layer->size;
}

static int parse(mt_layer *layer, const mt_section *section, const int *channels,
                 mtcnn_error *error)
{
    (void)channels;
    int pad, batch_normalize, status;
    if ((status = mt_option_int(section, "filters", 1, 1, MT_MAX_CHANNELS, &layer->out.channels,
                                error)) ||
        (status = mt_option_int(section, "size", 1, 1, MT_MAX_KERNEL, &layer->size, error)) ||
        (status = mt_option_int(section, "stride", 1, 1, MT_MAX_KERNEL, &layer->stride, error)) ||
        (status = mt_option_int(section, "pad", 0, 0, 1, &pad, error)) ||
        (status = mt_option_int(section, "padding", 0, 0, MT_MAX_KERNEL, &layer->pad, error)) ||
        (status = mt_option_int(section, "groups", 1, 1, MT_MAX_CHANNELS, &layer->groups, error)) ||
        (status = mt_option_int(section, "batch_normalize", 0, 0, 1, &batch_normalize, error)) ||
        (status = mt_parse_activation(layer, section, error)) ||
        (status = mt_refuse(section, "binary", "0", error)) ||
        (status = mt_refuse(section, "xnor", "0", error)) ||
        (status = mt_refuse(section, "flipped", "0", error)) ||
        (status = mt_refuse(section, "dilation", "1", error)) ||
        (status = mt_refuse(section, "antialiasing", "0", error)) ||
        (status = mt_refuse_strides(layer, section, error)))
        return status;
    if (pad) /* pad=1 overrides padding (Darknet's parse_convolutional) */
        layer->pad = layer->size / 2;
    layer->batch_normalize = batch_normalize;
    if (layer->in.channels % layer->groups || layer->out.channels % layer->groups)
        return mt_fail_layer(layer, error,
                             "groups=%d does not divide %d input and %d output "
                             "channels",
                             layer->groups, layer->in.channels, layer->out.channels);
    return MTCNN_OK;
}

static int shape(const mt_layer *layer, const mtcnn_shape *in, mtcnn_shape *out, mtcnn_error *error)
{
    int height = in->height + 2 * layer->pad - layer->size;
    int width = in->width + 2 * layer->pad - layer->size;
    if (height < 0 || width < 0)
        return mt_fail_layer(layer, error, "a kernel of %d does not fit an input of %dx%d pixels",
                             layer->size, in->width, in->height);
    *out = (mtcnn_shape){layer->out.channels, height / layer->stride + 1,
                         width / layer->stride + 1};
    return MTCNN_OK;
}

static mt_convolution convolution(const mt_layer *layer, mtcnn_shape in, mtcnn_shape out)
{
    return (mt_convolution){in, out, layer->size, layer->stride, layer->pad, layer->groups};
}

/* The kernel covers the whole input, so that the batch is one matrix: a dense layer. */
static bool is_dense(const mt_layer *layer, mtcnn_shape in)
{
    return layer->pad == 0 && layer->groups == 1 && in.height == layer->size &&
           in.width == layer->size;
}

static size_t scratch(const mt_layer *layer, mtcnn_shape in, mtcnn_shape out)
{
    mt_convolution conv = convolution(layer, in, out);
    return is_dense(layer, in) ? 0 : mt_convolve_columns(&conv);
}

static void forward(const mt_layer *layer, const mt_pass *pass)
{
    const mtcnn_shape in = pass->in[0], out = pass->out;
    const mt_convolution conv = convolution(layer, in, out);
    const size_t pixels = (size_t)out.height * out.width;

    if (is_dense(layer, in)) {
        mt_gemm_transposed(pass->batch, out.channels, (int)kernel_floats(layer), pass->inputs[0],
                           layer->weights, pass->output);
    } else {
        for (int b = 0; b < pass->batch; b++)
            mt_convolve_gemm(&conv, pass->inputs[0] + b * mt_volume(in), layer->weights,
                             pass->output + b * mt_volume(out), pass->scratch);
    }
    float *output = pass->output;
    for (int b = 0; b < pass->batch; b++)
        for (int c = 0; c < out.channels; c++, output += pixels)
            mt_activate(output, pixels, layer->biases[c], layer->activation);
}

static uint64_t weight_count(const mt_layer *layer)
{
    const uint64_t vectors = layer->batch_normalize ? 4 : 1;
    return (uint64_t)layer->out.channels * (vectors + kernel_floats(layer));
}

static bool load(mt_layer *layer, const float *values, bool transposed)
{
    (void)transposed; /* speaks of connected layers only */
    return mt_load_linear(layer, values, (size_t)layer->out.channels, (size_t)kernel_floats(layer),
                          false, false);
}

const mt_layer_type mt_convolutional = {
    .section = "convolutional",
    .alias = "conv",
    .keys = "filters size stride pad padding activation batch_normalize groups angle antialiasing"
            " assisted_excitation bin_output binary cbn coordconv dilation dot flipped grad_centr"
            " reverse rotate share_index stream stretch stretch_sway stride_x stride_y sway"
            " wait_stream xnor" MT_KEYS_OF_ALL,
    .parse = parse,
    .shape = shape,
    .scratch = scratch,
    .forward = forward,
    .weight_count = weight_count,
    .load = load,
};
