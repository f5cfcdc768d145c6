/* crop.h: what all crops that callers ask for begin with. */
#ifndef MT_CROP_H
#define MT_CROP_H

#include "kernels.h"
#include "mtcnn.h"

/*
 * What mtcnn_crop and mtcnn_align begin with: checks that crops of this side and padding can be
 * made of the image, and chooses the kernels for it.
 */
int mt_begin_crops(const mtcnn_image *image, int side, int pad, const mt_kernels **kernels,
                   mtcnn_error *error);

#endif
