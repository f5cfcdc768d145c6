/* [connected]: a dense layer over the whole input; its input size is fixed by the cfg. */
#include "gemm.h"
#include "layer.h"

static int parse(mt_layer *layer, const mt_section *section, const int *channels,
                 mtcnn_error *error)
{
    (void)channels;
    int batch_normalize, status;
    if ((status = mt_option_int(section, "output", 1, 1, MT_MAX_CHANNELS, &layer->out.channels,
                                error)) ||
        (status = mt_option_int(section, "batch_normalize", 0, 0, 1, &batch_normalize, error)) ||
        (status = mt_parse_activation(layer, section, error)))
        return status;
    layer->batch_normalize = batch_normalize;
    return MTCNN_OK;
}

static int shape(const mt_layer *layer, const mtcnn_shape *in, mtcnn_shape *out, mtcnn_error *error)
{
    if (in->height != layer->in.height || in->width != layer->in.width)
        return mt_fail_layer(layer, error,
                             "takes %dx%d pixels only, not %dx%d: give the network the size of "
                             "its [net] section",
                             layer->in.width, layer->in.height, in->width, in->height);
    *out = (mtcnn_shape){layer->out.channels, 1, 1};
    return MTCNN_OK;
}

static void forward(const mt_layer *layer, const mt_pass *pass)
{
    const int outputs = layer->out.channels;
    mt_gemm_transposed(pass->batch, outputs, (int)mt_volume(layer->in), pass->inputs[0],
                       layer->weights, pass->output);
    for (int b = 0; b < pass->batch; b++)
        for (int o = 0; o < outputs; o++)
            mt_activate(&pass->output[(size_t)b * outputs + o], 1, layer->biases[o],
                        layer->activation);
}

static uint64_t weight_count(const mt_layer *layer)
{
    const uint64_t vectors = layer->batch_normalize ? 4 : 1;
    return (uint64_t)layer->out.channels * (vectors + mt_volume(layer->in));
}

static bool load(mt_layer *layer, const float *values, bool transposed)
{
    /* Darknet writes a connected layer's batch normalisation after its weights. */
    return mt_load_linear(layer, values, (size_t)layer->out.channels, mt_volume(layer->in), true,
                          transposed);
}

const mt_layer_type mt_connected = {
    .section = "connected",
    .alias = "conn",
    .keys = "output activation batch_normalize" MT_KEYS_OF_ALL,
    .parse = parse,
    .shape = shape,
    .forward = forward,
    .weight_count = weight_count,
    .load = load,
};
