/*
 * winograd.h: 3x3 convolutions with a quarter of the multiplications.
 *
 * F(4x4, 3x3) of Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks" (2016): tiles
 * of 4x4 outputs. With input tile d [6][6], filter g [3][3] and fixed matrices A, B, G, the outputs
 * are
 *
 *     A^T ((G g G^T) * (B^T d B)) A        * element by element
 *
 * For many channels the middle is 36 matrix products, [tiles][in channels] by [in][out channels],
 * one for each of the 36 points. B^T and A^T are kernels (kernels.h); G is here.
 *
 * The matrices come from polynomials at the points 0, -a, a, -b, b and infinity. The usual a = 1,
 * b = 2 cost float32 half a digit; a = 3/4, b = 3/2 keep the rounding errors of PNet, RNet and ONet
 * where those of the plain sum are.
 */
#ifndef MT_WINOGRAD_H
#define MT_WINOGRAD_H

#include "memory.h"
#include "packed_steps.h"

#define MT_TILE 4    /* outputs of a tile each way */
#define MT_WINDOW 6  /* inputs of a tile each way */
#define MT_POINTS 36 /* of a tile */

/*
 * Transforms a filter [3][3], `step` floats from value to value of `points` [36]. In double
 * precision.
 */
void mt_winograd_filter(const float *filter, float *points, size_t step);

/* Tiles side by side. Their sums cancel what outputs do not look at, so it must be small. */
typedef struct mt_tile_row {
    float *rows[MT_WINDOW];  /* inputs: [4 * tiles + 2][in_step] */
    float *outputs[MT_TILE]; /* [4 * tiles][out_step] */
    int tiles;
} mt_tile_row;

/*
 * The tiles of a row of `width` outputs, and zeros behind its inputs: the last tile may stick out,
 * and what it computes there must not depend on what was there before.
 */
void mt_tile_row_begin(mt_tile_row *tiles, const mt_step *step, int width);

/* Tiles that are computed together. */
#define MT_CHUNK 12

/* A convolution in progress of one thread. */
typedef struct mt_winograd {
    const mt_kernels *kernels;
    const mt_step *step;
    float *values, *products;     /* of the tiles gathered so far */
    mt_tile_row pieces[MT_CHUNK]; /* where they come from and go to */
    int piece_count, tiles;
} mt_winograd;

/* Gives scratch the room that an MT_WINOGRAD step needs; any other needs none. false: no memory. */
bool mt_winograd_reserve(mt_buffer *scratch, const mt_kernels *kernels, const mt_step *step);

/* Begins an MT_WINOGRAD step in scratch, which has room for it. */
void mt_winograd_begin(mt_winograd *winograd, const mt_kernels *kernels, const mt_step *step,
                       const mt_buffer *scratch);

/* Adds tiles; their inputs must be there, their outputs may come as late as mt_winograd_end. */
void mt_winograd_add(mt_winograd *winograd, const mt_tile_row *tiles);
void mt_winograd_end(mt_winograd *winograd);

#endif
