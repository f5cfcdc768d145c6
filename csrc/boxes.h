/*
 * boxes.h: candidates, and what the cascade does with their boxes.
 *
 * Boxes are float32, their arithmetic is in double precision: PNet's boxes lie on a grid, on which
 * two cells' distance makes an overlap of exactly 0.5, and the reference must decide it alike.
 */
#ifndef MT_BOXES_H
#define MT_BOXES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "memory.h"
#include "mtcnn.h"

/* A box on its way through the cascade, with all that belongs to it: nothing can fall out of step. */
typedef struct mt_candidate {
    mtcnn_face face;
    float offsets[4]; /* dx1, dy1, dx2, dy2, relative to the box's width and height */
    int level;        /* of the pyramid */
    int64_t order;    /* place among the level's cells, row by row; ties go by it */
} mt_candidate;

typedef enum mt_overlap {
    MT_OVER_UNION,  /* intersection over union */
    MT_OVER_SMALLER /* intersection over the smaller box */
} mt_overlap;

/* Overlap of two boxes, 0..1; 0 where either has no area. */
double mt_overlap_of(const float a[4], const float b[4], mt_overlap kind);

/* Sorts by level, then descending score, then order. No memory, same result everywhere. */
void mt_sort_by_level(mt_candidate *candidates, size_t count);

/* Sorts by descending score, then level, then order. */
void mt_sort_by_score(mt_candidate *candidates, size_t count);

/*
 * Greedy non-maximum suppression of *count candidates that come best first: drops each whose overlap
 * with a kept one is above most. Sets *count to how many are left, in front, in their order. Returns
 * false, with nothing done, if there is no memory.
 */
bool mt_suppress(mt_candidate *candidates, size_t *count, float most, mt_overlap kind,
                 mt_buffer *scratch);

/* Moves the box by its offsets: x1 += dx1 * width, and so on. */
void mt_regress(mt_candidate *candidate);

/* Makes the box square: side = its longer one, same centre. */
void mt_square(float box[4]);

/* true if the box has an area, and part of it lies inside a picture of width x height. */
bool mt_is_visible(const float box[4], int width, int height);

/* Clips the box to [0, width] x [0, height]. */
void mt_clip(float box[4], int width, int height);

#endif
