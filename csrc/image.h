/* image.h: the pictures that callers hand over. */
#ifndef MT_IMAGE_H
#define MT_IMAGE_H

#include "mtcnn.h"

/* Bytes of a pixel of a colour order; 0 of one that is unknown. */
static inline int mt_pixel_bytes(mtcnn_color color)
{
    switch (color) {
    case MTCNN_GRAY: return 1;
    case MTCNN_RGB:
    case MTCNN_BGR: return 3;
    case MTCNN_RGBA:
    case MTCNN_BGRA: return 4;
    }
    return 0;
}

/* MTCNN_OK if pixels, sides, stride and colour order of the image make sense. */
int mt_check_image(const mtcnn_image *image, mtcnn_error *error);

#endif
