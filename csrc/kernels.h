/*
 * kernels.h: the inner loops, one set for each kind of processor.
 *
 * They work on rows of pixels with the channels of a pixel side by side, padded with zeros to a
 * multiple of `vector` floats, so that every instruction works on whole vectors of channels.
 */
#ifndef MT_KERNELS_H
#define MT_KERNELS_H

#include <stdbool.h>
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
    int outputs;           /* along the row */
    int vectors;           /* of an output, each of `vector` channels */
    int panel;             /* 1 or 2 vectors that are computed together; divides vectors */
    const float *weights;  /* [vectors / panel][row_count * segments * length][panel * vector] */
    const float *biases;   /* [vectors * vector] */
    const float *slopes;   /* [vectors * vector] */
    float *output;         /* [outputs][vectors * vector] */
    ptrdiff_t output_step; /* floats from one output to the next */
} mt_row_convolution;

/* The transforms around the products of a convolution by Winograd's method: winograd.h. */
typedef struct mt_tiles_in {
    const float *rows[6]; /* at the first tile's first pixel: [4 * tiles + 2][step] */
    int tiles;            /* side by side, 4 pixels apart */
    int step;             /* channels, a multiple of vector */
    ptrdiff_t values_step;
    float *values; /* [36] values_step floats apart: [tiles][step] */
} mt_tiles_in;

/* products[p] = values[p] * weights[p], matrices, for each of the 36 points p. */
typedef struct mt_tiles_multiply {
    const float *values; /* [36] values_step floats apart: [tiles][step] */
    ptrdiff_t values_step;
    int tiles, step;
    int channels;         /* of a tile's step that count */
    int panel;            /* vectors of the products, 1 or 2 */
    const float *weights; /* [36][channels][panel * vector] */
    float *products;      /* [36] products_step floats apart: [tiles][panel * vector] */
    ptrdiff_t products_step;
} mt_tiles_multiply;

typedef struct mt_tiles_out {
    const float *products; /* [36] products_step floats apart: [tiles][vectors * vector] */
    ptrdiff_t products_step;
    int tiles;
    int vectors;
    const float *biases, *slopes; /* [vectors * vector] */
    int step;                     /* floats from one pixel of the output to the next */
    float *rows[4];               /* [4 * tiles][step], of which vectors * vector are written */
} mt_tiles_out;

/*
 * A row of a 3x3 convolution of three channels with bias and activation, followed by the largest of
 * each 2x2 outputs.
 *
 * Pixels of the input lie in six planes: channel 0's even columns, its odd ones, channel 1's, ...
 */
typedef struct mt_stem {
    const float *rows[6]; /* inputs of the windows' top outputs, of their bottom ones: 3 each */
    ptrdiff_t plane;      /* floats from one plane to the next; `vector` of them beyond the row */
    int outputs;          /* pooled */
    int pairs;    /* of them, from the first on, with two columns of outputs; others have one */
    int channels; /* of the output, at most MT_MAX_STEM_CHANNELS */
    const float *weights;         /* [channels][3 rows][3 channels][3 columns] */
    const float *biases, *slopes; /* [channels] */
    int step;                     /* channels, padded to a multiple of vector */
    float *output;                /* [outputs][step] */
} mt_stem;

#define MT_MAX_STEM_CHANNELS 64

/* The points of Winograd's method, besides 0, their negatives and infinity. */
#define MT_POINT_1 0.75f
#define MT_POINT_2 1.5f

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
    bool direct;      /* networks run as they are written: no Winograd, no stem */

    void (*convolve)(const mt_row_convolution *work);
    void (*tiles_in)(const mt_tiles_in *work);
    void (*tiles_multiply)(const mt_tiles_multiply *work);
    void (*tiles_out)(const mt_tiles_out *work);
    void (*pool)(const mt_row_pooling *work);

    /* Pixels [count][3] into the six planes of mt_stem; up to 7 more are read and written. */
    void (*split)(const float *pixels, int count, ptrdiff_t plane, float *planes);
    void (*stem)(const mt_stem *work);

    /* sums[i] = bias + sum over c of weights[c] * pixels[i * channels + c]; whole vectors */
    void (*project)(const float *pixels, int channels, int count, const float *weights, float bias,
                    float *sums);

    /*
     * Adds weighted rows, stride bytes apart, to two rows of sums at once:
     * now[i] += weights[2 * row] * bytes[row * stride + i], and next[i], unless next is NULL, the
     * same with weights[2 * row + 1].
     */
    void (*blend)(const uint8_t *bytes, ptrdiff_t stride, const float *weights, int rows, int count,
                  float *now, float *next);

    /*
     * Resizes a row of pixels of `channels` (1, 3 or 4) floats along x: output [count][3] is
     * scale * (sum over k < taps of weights[i][k] * pixel firsts[i] + k) + shift; a grey pixel
     * gives its value three times. One float after the last of these pixels is read, one after
     * `output` is written.
     */
    void (*mix)(const float *pixels, int channels, const int *firsts, const float *weights,
                int taps, int count, float scale, float shift, float *output);
} mt_kernels;

/*
 * The kernels for this processor, or those that the environment variable MTCNN_CPU names (c, sse2,
 * avx2, avx512, neon, vector); MTCNN_ERROR_ARGUMENT and NULL if the processor cannot run these or
 * there are none of that name.
 *
 * The one place where kernels are chosen. It is called once when a model or a network is loaded,
 * which keep the choice for all that runs on them, and, as they load nothing, by each call of
 * mtcnn_crop and mtcnn_align. All else takes the kernels that it is given.
 */
int mt_kernels_choose(const mt_kernels **kernels, mtcnn_error *error);

/* Lists all kernels that this processor can run, plain C first, the fastest last; their number. */
#define MT_MAX_KERNELS 4
int mt_kernels_all(const mt_kernels *list[MT_MAX_KERNELS]);

extern const mt_kernels mt_kernels_c;      /* loops that anyone can read: the others' reference */
extern const mt_kernels mt_kernels_vector; /* for processors without the following */
extern const mt_kernels mt_kernels_neon;   /* every 64-bit ARM has it, and most 32-bit ones */
extern const mt_kernels mt_kernels_sse2;   /* every x86-64 has it; 32-bit x86 is built for it */
extern const mt_kernels mt_kernels_avx2;   /* with FMA */
extern const mt_kernels mt_kernels_avx512; /* the foundation (F), with FMA */

#endif
