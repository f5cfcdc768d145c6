/*
 * convolution.h: the convolution kernels: a plain one that anyone can read, and the fast one,
 * which the tests hold to it.
 */
#ifndef MT_CONVOLUTION_H
#define MT_CONVOLUTION_H

#include <stddef.h>

#include "mtcnn.h"

typedef struct mt_convolution {
    mtcnn_shape in;
    mtcnn_shape out; /* height = (in.height + 2 * pad - size) / stride + 1, width likewise */
    int size;
    int stride;
    int pad;    /* zeros on each side */
    int groups; /* divides both channel counts */
} mt_convolution;

/*
 * One picture: input [in.channels][in.height][in.width], weights [out.channels]
 * [in.channels / groups][size][size], output [out.channels][out.height][out.width], no bias.
 */
void mt_convolve_plain(const mt_convolution *conv, const float *input, const float *weights,
                       float *output);

/* The same by im2col and a matrix product, in bands of rows that keep the columns in the cache. */
void mt_convolve_gemm(const mt_convolution *conv, const float *input, const float *weights,
                      float *output, float *columns);

/* Floats of columns that mt_convolve_gemm needs; SIZE_MAX if no size_t holds their number. */
size_t mt_convolve_columns(const mt_convolution *conv);

#endif
