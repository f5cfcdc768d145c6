/* image.h: the pictures that callers hand over. */
#ifndef MT_IMAGE_H
#define MT_IMAGE_H

#include "mtcnn.h"

/* MTCNN_OK if pixels, sides, stride and colour order of the image make sense. */
int mt_check_image(const mtcnn_image *image, mtcnn_error *error);

/* MTCNN_OK if crops of this side and padding (mtcnn_crop, mtcnn_align) can be made of the image. */
int mt_check_crops(const mtcnn_image *image, int side, int pad, mtcnn_error *error);

#endif
