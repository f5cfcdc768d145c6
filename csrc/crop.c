/* Crops of pictures, resized as the cascade does it: mtcnn_crop. */
#include "crop.h"

#include <math.h>

#include "error.h"
#include "image.h"
#include "resize.h"

int mt_begin_crops(const mtcnn_image *image, int side, int pad, const mt_kernels **kernels,
                   mtcnn_error *error)
{
    if (side < 1 || side > MTCNN_MAX_CROP || pad < 0 || pad > 255)
        return mt_fail(error, MTCNN_ERROR_ARGUMENT,
                       "crops of %d pixels padded with %d: the side must be 1 to %d, the padding 0 "
                       "to 255",
                       side, pad, MTCNN_MAX_CROP);
    const int status = mt_check_image(image, error);
    return status ? status : mt_kernels_choose(kernels, error);
}

/* A float32 crop [side][side][3], values 0..255, as bytes. */
static void round_pixels(const float *values, size_t count, uint8_t *bytes)
{
    for (size_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)(values[i] + 0.5f);
}

int mtcnn_crop(const mtcnn_image *image, const float *boxes, size_t count, int side, int pad,
               uint8_t *pixels, mtcnn_error *error)
{
    mt_clear(error);
    if (count && (!boxes || !pixels))
        return mt_fail(error, MTCNN_ERROR_ARGUMENT, "mtcnn_crop: boxes or pixels is NULL");
    const mt_kernels *kernels;
    int status = mt_begin_crops(image, side, pad, &kernels, error);
    if (status)
        return status;
    const mt_normalisation bytes = {0.0f, 1.0f, (float)pad, MTCNN_RGB};
    mt_resizer resizer = {0};
    mt_buffer row = {0};
    const size_t values = (size_t)3 * side;
    if (!mt_reserve(&row, values + 1, sizeof(float)))
        status = mt_fail_memory(error, "a crop", (values + 1) * sizeof(float));
    for (size_t i = 0; i < count && !status; i++, boxes += 4) {
        const double width = (double)boxes[2] - boxes[0], height = (double)boxes[3] - boxes[1];
        if (!(width > 0 && height > 0 && isfinite(width) && isfinite(height))) {
            status = mt_fail(error, MTCNN_ERROR_ARGUMENT,
                             "box %zu (%g, %g, %g, %g) has no area or is not finite", i, boxes[0],
                             boxes[1], boxes[2], boxes[3]);
            break;
        }
        const mt_span x = {boxes[0], width / side, 0, side, image->width};
        const mt_span y = {boxes[1], height / side, 0, side, image->height};
        if (!mt_resize_begin(&resizer, kernels, image, x, y, &bytes)) {
            status = mt_fail_memory(error, "a crop", values * side);
            break;
        }
        for (int j = 0; j < side; j++, pixels += values) {
            mt_resize_row(&resizer, j, row.data);
            round_pixels(row.data, values, pixels);
        }
    }
    mt_release(&row);
    mt_resizer_free(&resizer);
    return status;
}
