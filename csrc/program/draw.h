/* draw.h: what was found, painted into a picture. */
#ifndef MTCNN_PROGRAM_DRAW_H
#define MTCNN_PROGRAM_DRAW_H

#include "mtcnn.h"
#include "picture.h"

/*
 * Draws each face's box, score and five landmarks, and of a face whose landmarks are all zero the box
 * alone: PNet and RNet find none, and propose more boxes than labels have room. Lines grow with the
 * picture, 2 pixels at least.
 * ids [count] (NULL: none) are written before the scores.
 * Whatever lies outside the picture is left out.
 */
void draw_faces(struct picture *picture, const mtcnn_face *faces, const uint32_t *ids, int count);

#endif
