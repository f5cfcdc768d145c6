/* draw.h: what was found, painted into a picture. */
#ifndef MTCNN_PROGRAM_DRAW_H
#define MTCNN_PROGRAM_DRAW_H

#include "mtcnn.h"
#include "picture.h"

/*
 * Draws each face's box, score and, if they are not all zero, five landmarks; lines grow with the
 * picture, 2 pixels at least.
 * ids [count] (NULL: none) are written before the scores.
 * Whatever lies outside the picture is left out.
 */
void draw_faces(struct picture *picture, const mtcnn_face *faces, const uint32_t *ids, int count);

#endif
