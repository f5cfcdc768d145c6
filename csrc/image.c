#include "image.h"

#include "error.h"

int mt_check_image(const mtcnn_image *image, mtcnn_error *error)
{
    if (!image || !image->pixels)
        return mt_fail(error, MTCNN_ERROR_ARGUMENT, "the image has no pixels (NULL)");
    if (image->width < 1 || image->height < 1 || image->width > MTCNN_MAX_SIDE ||
        image->height > MTCNN_MAX_SIDE)
        return mt_fail(error, MTCNN_ERROR_ARGUMENT,
                       "an image of %dx%d pixels: width and height must be 1 to %d", image->width,
                       image->height, MTCNN_MAX_SIDE);
    const int bytes = mt_pixel_bytes(image->color);
    if (!bytes)
        return mt_fail(error, MTCNN_ERROR_ARGUMENT,
                       "unknown colour order %d: MTCNN_RGB, MTCNN_BGR, MTCNN_GRAY, MTCNN_RGBA or "
                       "MTCNN_BGRA was expected",
                       (int)image->color);
    const ptrdiff_t least = (ptrdiff_t)image->width * bytes;
    if (image->height > 1 && image->stride < least && image->stride > -least)
        return mt_fail(error, MTCNN_ERROR_ARGUMENT,
                       "a stride of %td bytes is too small for rows of %td bytes", image->stride,
                       least);
    return MTCNN_OK;
}
