/* mtcnn_network_run: a network on planar input, by the kernels where it can be packed. */
#include <string.h>

#include "error.h"
#include "network.h"
#include "workspace.h"

/* A batch of planar pictures as rows of pixels. */
typedef struct mt_planar {
    const float *values; /* [batch][channels][height][width] */
    mtcnn_shape shape;
} mt_planar;

/* Row number `row` of the whole batch. */
static void planar_row(void *context, int row, float *pixels)
{
    const mt_planar *planar = context;
    const mtcnn_shape shape = planar->shape;
    const size_t plane = (size_t)shape.height * shape.width;
    const float *values = planar->values + (size_t)(row / shape.height) * shape.channels * plane +
                          (size_t)(row % shape.height) * shape.width;
    for (int x = 0; x < shape.width; x++)
        for (int c = 0; c < shape.channels; c++)
            *pixels++ = values[c * plane + x];
}

/* whole: the input has the cfg's own size and the output is one pixel: the batch runs at once. */
static bool run_packed(const mt_packed *packed, mt_planar input, bool whole, int batch,
                       float *output)
{
    mt_stream stream = {0};
    bool done = true;
    if (whole) {
        done = mt_packed_run_batch(&stream, packed, batch, planar_row, &input, output);
    } else {
        const int channels = mt_packed_outputs(packed);
        for (int b = 0; b < batch && done; b++) {
            int height, width;
            done = mt_stream_begin(&stream, packed, input.shape.height, input.shape.width,
                                   planar_row, &input);
            if (!done)
                break;
            mt_stream_size(&stream, &height, &width);
            for (int y = 0; y < height; y++) {
                mt_stream_scores(&stream, y);
                for (int x = 0; x < width; x++) {
                    float values[MT_MAX_OUTPUTS];
                    mt_stream_output(&stream, x, values);
                    for (int c = 0; c < channels; c++)
                        output[((size_t)c * height + y) * width + x] = values[c];
                }
            }
            output += (size_t)channels * height * width;
            input.values += mt_volume(input.shape);
        }
    }
    mt_stream_free(&stream);
    return done;
}

int mtcnn_network_run(const mtcnn_network *network, const float *input, int batch, int height,
                      int width, float *output, size_t length, mtcnn_error *error)
{
    mt_clear(error);
    if (!network || !input || !output)
        return mt_fail(error, MTCNN_ERROR_ARGUMENT,
                       "mtcnn_network_run: network, input or output is NULL");
    int status = mt_network_check_input(network, batch, height, width, error);
    if (status)
        return status;

    mt_workspace workspace = {0};
    mtcnn_shape shape;
    const mtcnn_shape in = {network->input.channels, height, width};
    status = mt_workspace_shape(&workspace, network, network->layer_count - 1, height, width,
                                &shape, error);
    if (!status && (size_t)batch * mt_volume(shape) != length)
        status = mt_fail(error, MTCNN_ERROR_ARGUMENT,
                         "%s: the output has %zu floats, the buffer given %zu", network->path,
                         (size_t)batch * mt_volume(shape), length);
    if (!status && network->packed) {
        const bool whole = height == network->input.height && width == network->input.width &&
                           shape.height == 1 && shape.width == 1;
        if (!run_packed(network->packed, (mt_planar){input, in}, whole, batch, output))
            status = mt_fail_memory(error, network->path, length * sizeof *output);
    } else if (!status) {
        status = mt_workspace_plan(&workspace, network, batch, height, width, error);
        if (!status) {
            memcpy(mt_workspace_input(&workspace), input, batch * mt_volume(in) * sizeof *input);
            memcpy(output, mt_workspace_run(&workspace, &shape), length * sizeof *output);
        }
    }
    mt_workspace_free(&workspace);
    return status;
}
