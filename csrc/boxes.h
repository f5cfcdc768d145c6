/*
 * boxes.h: candidates, and what the cascade does with their boxes.
 *
 * Boxes are float32, their arithmetic is in double precision: PNet's boxes lie on a grid, on which
 * two cells' distance makes an overlap of exactly 0.5, and the reference must decide it the same
 * way.
 */
#ifndef MT_BOXES_H
#define MT_BOXES_H

#include <stdbool.h>
#include <stddef.h>

#include "memory.h"
#include "mtcnn.h"

/* A box on its way through the cascade; there may be many of them, so that it is kept small. */
typedef struct mt_candidate {
    float box[4];
    float score;
    float offsets[4]; /* dx1, dy1, dx2, dy2, relative to the box's width and height */
    /* Where it comes from; ties go by it. No two candidates of a stage have both in common. */
    int level; /* of the pyramid; 0 after PNet */
    int order; /* PNet: place among the level's cells, row by row; then: among the stage's inputs */
} mt_candidate;

typedef enum mt_overlap {
    MT_OVER_UNION,  /* intersection over union */
    MT_OVER_SMALLER /* intersection over the smaller box */
} mt_overlap;

/* Overlap of two boxes, 0..1; 0 where either has no area. */
double mt_overlap_of(const float a[4], const float b[4], mt_overlap kind);

/* Sorts best first: by descending score, level, order. No memory, the same result everywhere. */
void mt_sort(mt_candidate *candidates, size_t count);

/*
 * Adds a candidate to the *count in buffer, of which it keeps the best `most`: which these are does
 * not depend on the order in which they come. They lie in no order. false: no memory.
 */
bool mt_add_best(mt_buffer *buffer, size_t *count, size_t most, const mt_candidate *candidate);

/*
 * Greedy non-maximum suppression of *count candidates that come best first: drops each whose
 * overlap with a kept one is above limit, and all that come after the first `most` kept ones. Sets
 * *count to how many are left, in front, in their order. false: no memory; the candidates are lost.
 */
bool mt_suppress(mt_candidate *candidates, size_t *count, size_t most, float limit, mt_overlap kind,
                 mt_buffer *scratch);

/*
 * Soft suppression, in place of mt_suppress: a candidate that a kept one overlaps too much is kept
 * with a lower score (MTCNN_NMS_SOFT), or dropped where that is below threshold. Leaves the best
 * `most`, best first by their new scores.
 */
void mt_suppress_softly(mt_candidate *candidates, size_t *count, size_t most, float threshold,
                        float limit, mt_overlap kind);

/* Moves the box by its offsets: x1 += dx1 * width, and so on. */
void mt_regress(mt_candidate *candidate);

/* Makes the box square: side = its longer one, same centre. */
void mt_square(float box[4]);

/* true if the box has an area, and part of it lies inside a picture of width x height. */
bool mt_is_visible(const float box[4], int width, int height);

/* Clips the box to [0, width] x [0, height]. */
void mt_clip(float box[4], int width, int height);

#endif
