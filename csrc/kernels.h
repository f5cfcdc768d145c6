/*
 * kernels.h: the inner loops, one set for each kind of processor.
 *
 * They work on rows of pixels with the channels of a pixel side by side, padded with zeros to a
 * multiple of `vector` floats, so that every instruction works on whole vectors of channels.
 */
#ifndef MT_KERNELS_H
#define MT_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "mtcnn.h"

/*
 * A convolution of some neighbouring outputs of a row, with bias and activation.
 *
 * The inputs of one output are row_count rows of `segments` runs of `length` floats, `segment_step`
 * floats apart; those of the next output are `step` floats further.
 * activation: x > 0 ? x : slope * x, which is linear with slope 1, relu with 0, leaky with 0.1.
 */
typedef struct mt_row_convolution {
    const float *const *rows; /* [row_count], at the first output's inputs */
    int row_count;
    int segments;
    ptrdiff_t segment_step;
    int length;
    ptrdiff_t step;
    int outputs;          /* along the row */
    int vectors;          /* of an output, each of `vector` channels */
    int panel;            /* vectors that are computed together; divides vectors */
    const float *weights; /* [vectors / panel][row_count * segments * length][panel * vector] */
    const float *biases;  /* [vectors * vector] */
    const float *slopes;  /* [vectors * vector] */
    float *output;        /* [outputs][vectors * vector] */
} mt_row_convolution;

/* The largest pixel, channel by channel, in windows of rows; windows end where the rows end. */
typedef struct mt_row_pooling {
    const float *const *rows; /* [row_count], [width][channels] each */
    int row_count;
    int width;
    int channels; /* a multiple of vector */
    int size, stride;
    int outputs;
    float *output; /* [outputs][channels] */
} mt_row_pooling;

typedef struct mt_kernels {
    const char *name; /* as MTCNN_CPU takes it */
    int vector;       /* floats of a vector; a multiple of 4 */
    int most_panel;   /* 1, 2 or 4: the widest panel that `convolve` knows */

    void (*convolve)(const mt_row_convolution *work);
    void (*pool)(const mt_row_pooling *work);

    /*
     * Adds weighted rows, stride bytes apart, to two rows of sums at once:
     * now[i] += weights[2 * row] * bytes[row * stride + i], next[i] += weights[2 * row + 1] * likewise.
     * next may be NULL.
     */
    void (*blend)(const uint8_t *bytes, ptrdiff_t stride, const float *weights, int rows, int count,
                  float *now, float *next);

    /*
     * Resizes a row of pixels of `channels` (1, 3 or 4) floats along x: output [count][3] is
     * scale * (sum over k < taps of weights[i][k] * pixel firsts[i] + k) + shift; a grey pixel gives
     * its value thrice. One float after the last of these pixels is read, one after `output` is
     * written.
     */
    void (*mix)(const float *pixels, int channels, const int *firsts, const float *weights,
                int taps, int count, float scale, float shift, float *output);
} mt_kernels;

/*
 * The kernels for this processor, or those that the environment variable MTCNN_CPU names (c,
 * sse2, avx2, avx512, neon); NULL if the processor cannot run these or there are none of that name.
 */
const mt_kernels *mt_kernels_get(void);

/* The same; MTCNN_ERROR_ARGUMENT instead of NULL. */
int mt_kernels_find(const mt_kernels **kernels, mtcnn_error *error);

/* Lists all kernels that this processor can run, plain C first, the fastest last; returns how many. */
#define MT_MOST_KERNELS 4
int mt_kernels_all(const mt_kernels *list[MT_MOST_KERNELS]);

extern const mt_kernels mt_kernels_c;      /* loops that anyone can read: the others' reference */
extern const mt_kernels mt_kernels_128;    /* SSE2 or NEON, which every x86-64 and aarch64 has */
extern const mt_kernels mt_kernels_avx2;   /* with FMA */
extern const mt_kernels mt_kernels_avx512; /* the foundation (F), with FMA */

#endif
