/* [maxpool] and [avgpool] (over the whole picture). */
#include <float.h>

#include "layer.h"

static int parse_max(mt_layer *layer, const mt_section *section, const int *channels,
                     mtcnn_error *error)
{
    (void)channels;
    int status;
    layer->out.channels = layer->in.channels;
    if ((status = mt_option_int(section, "stride", 1, 1, MT_MAX_KERNEL, &layer->stride, error)) ||
        (status = mt_option_int(section, "size", layer->stride, 1, MT_MAX_KERNEL, &layer->size,
                                error)) ||
        (status = mt_option_int(section, "padding", layer->size - 1, 0, MT_MAX_KERNEL, &layer->pad,
                                error)) ||
        (status = mt_refuse(section, "maxpool_depth", "0", error)) ||
        (status = mt_refuse(section, "antialiasing", "0", error)) ||
        (status = mt_refuse_strides(layer, section, error)))
        return status;
    return MTCNN_OK;
}

static int shape_max(const mt_layer *layer, const mtcnn_shape *in, mtcnn_shape *out,
                     mtcnn_error *error)
{
    int height = in->height + layer->pad - layer->size;
    int width = in->width + layer->pad - layer->size;
    if (height < 0 || width < 0)
        return mt_fail_layer(layer, error, "a window of %d does not fit an input of %dx%d pixels",
                             layer->size, in->width, in->height);
    *out = (mtcnn_shape){in->channels, height / layer->stride + 1, width / layer->stride + 1};
    return MTCNN_OK;
}

/* A row of the picture, of which each element is the largest of its column in the window. */
static size_t scratch_max(const mt_layer *layer, mtcnn_shape in, mtcnn_shape out)
{
    (void)layer;
    (void)out;
    return (size_t)in.width;
}

static float larger(float a, float b)
{
    return a > b ? a : b;
}

/* One channel. Outside of the picture is -FLT_MAX, as in Darknet; offset: C's division. */
static void pool_plane(const mt_layer *layer, mtcnn_shape in, mtcnn_shape out, const float *input,
                       float *output, float *columns)
{
    const int offset = -layer->pad / 2;
    for (int y = 0; y < out.height; y++) {
        int top = y * layer->stride + offset;
        const int bottom = top + layer->size < in.height ? top + layer->size : in.height;
        top = top < 0 ? 0 : top;
        for (int x = 0; x < in.width; x++)
            columns[x] = -FLT_MAX;
        for (int row = top; row < bottom; row++)
            for (int x = 0; x < in.width; x++)
                columns[x] = larger(columns[x], input[(size_t)row * in.width + x]);

        for (int x = 0; x < out.width; x++) {
            int left = x * layer->stride + offset;
            const int right = left + layer->size < in.width ? left + layer->size : in.width;
            left = left < 0 ? 0 : left;
            float largest = -FLT_MAX;
            for (int column = left; column < right; column++)
                largest = larger(largest, columns[column]);
            *output++ = largest;
        }
    }
}

static void forward_max(const mt_layer *layer, const mt_pass *pass)
{
    const mtcnn_shape in = pass->in[0], out = pass->out;
    for (size_t plane = 0; plane < (size_t)pass->batch * in.channels; plane++)
        pool_plane(layer, in, out, pass->inputs[0] + plane * in.height * in.width,
                   pass->output + plane * out.height * out.width, pass->scratch);
}

const mt_layer_type mt_maxpool = {
    .section = "maxpool",
    .alias = "max",
    .keys = "size stride padding antialiasing maxpool_depth out_channels stride_x "
            "stride_y" MT_KEYS_OF_ALL,
    .parse = parse_max,
    .shape = shape_max,
    .scratch = scratch_max,
    .forward = forward_max,
};

static int shape_average(const mt_layer *layer, const mtcnn_shape *in, mtcnn_shape *out,
                         mtcnn_error *error)
{
    (void)layer;
    (void)error;
    *out = (mtcnn_shape){in->channels, 1, 1};
    return MTCNN_OK;
}

static void forward_average(const mt_layer *layer, const mt_pass *pass)
{
    (void)layer;
    const size_t pixels = (size_t)pass->in[0].height * pass->in[0].width;
    const float *input = pass->inputs[0];
    for (size_t plane = 0; plane < (size_t)pass->batch * pass->out.channels; plane++) {
        double sum = 0.0;
        for (size_t i = 0; i < pixels; i++)
            sum += (double)*input++;
        pass->output[plane] = (float)(sum / (double)pixels);
    }
}

const mt_layer_type mt_avgpool = {
    .section = "avgpool",
    .alias = "avg",
    .keys = MT_KEYS_OF_ALL,
    .parse = mt_parse_nothing,
    .shape = shape_average,
    .forward = forward_average,
};
