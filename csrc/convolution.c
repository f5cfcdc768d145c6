#include "convolution.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "gemm.h"
#include "memory.h"

/* Columns of one band: 64 Ki floats are 256 KiB, well inside the second-level cache. */
#define BAND_FLOATS 65536

void mt_convolve_plain(const mt_convolution *conv, const float *input, const float *weights,
                       float *output)
{
    const int size = conv->size;
    const int height = conv->in.height, width = conv->in.width;
    const int ins = conv->in.channels / conv->groups;
    const int outs = conv->out.channels / conv->groups;
    for (int o = 0; o < conv->out.channels; o++) {
        const int first = o / outs * ins; /* first input channel of o's group */
        for (int y = 0; y < conv->out.height; y++) {
            for (int x = 0; x < conv->out.width; x++) {
                float sum = 0.0f;
                for (int c = 0; c < ins; c++) {
                    for (int ky = 0; ky < size; ky++) {
                        for (int kx = 0; kx < size; kx++) {
                            int iy = y * conv->stride - conv->pad + ky;
                            int ix = x * conv->stride - conv->pad + kx;
                            if (iy < 0 || iy >= height || ix < 0 || ix >= width)
                                continue;
                            sum += weights[((size_t)(o * ins + c) * size + ky) * size + kx] *
                                   input[((size_t)(first + c) * height + iy) * width + ix];
                        }
                    }
                }
                *output++ = sum;
            }
        }
    }
}

/* Rows of output whose columns fit a band; at least one. */
static int band_rows(const mt_convolution *conv)
{
    size_t kernel = (size_t)(conv->in.channels / conv->groups) * conv->size * conv->size;
    size_t row;
    const size_t rows = mt_multiply(kernel, (size_t)conv->out.width, &row) ? BAND_FLOATS / row : 1;
    return rows < 1 ? 1 : rows > (size_t)conv->out.height ? conv->out.height : (int)rows;
}

/* A kernel of one pixel needs no columns: the picture itself is the matrix. */
static bool is_pointwise(const mt_convolution *conv)
{
    return conv->size == 1 && conv->stride == 1 && conv->pad == 0;
}

size_t mt_convolve_columns(const mt_convolution *conv)
{
    if (is_pointwise(conv))
        return 0;
    const size_t kernel = (size_t)(conv->in.channels / conv->groups) * conv->size * conv->size;
    size_t floats;
    return mt_multiply(kernel, (size_t)conv->out.width, &floats) &&
                   mt_multiply(floats, (size_t)band_rows(conv), &floats)
               ? floats
               : SIZE_MAX;
}

/*
 * columns [channels * size * size][rows * out.width]: row (c, ky, kx) holds, for each output pixel
 * of the rows y0 <= y < y0 + rows, the input pixel that kernel element (ky, kx) of channel c meets.
 */
static void im2col(const mt_convolution *conv, const float *input, int channels, int y0, int rows,
                   float *columns)
{
    const int height = conv->in.height, width = conv->in.width;
    const int stride = conv->stride, out_width = conv->out.width;
    for (int c = 0; c < channels; c++, input += (size_t)height * width) {
        for (int ky = 0; ky < conv->size; ky++) {
            for (int kx = 0; kx < conv->size; kx++) {
                for (int y = y0; y < y0 + rows; y++, columns += out_width) {
                    const int iy = y * stride - conv->pad + ky;
                    if (iy < 0 || iy >= height) {
                        memset(columns, 0, (size_t)out_width * sizeof *columns);
                        continue;
                    }
                    const float *row = input + (size_t)iy * width;
                    const int shift = kx - conv->pad;
                    if (stride == 1 && conv->pad == 0) {
                        memcpy(columns, row + shift, (size_t)out_width * sizeof *columns);
                        continue;
                    }
                    for (int x = 0; x < out_width; x++) {
                        const int ix = x * stride + shift;
                        columns[x] = ix < 0 || ix >= width ? 0.0f : row[ix];
                    }
                }
            }
        }
    }
}

void mt_convolve_gemm(const mt_convolution *conv, const float *input, const float *weights,
                      float *output, float *columns)
{
    const int ins = conv->in.channels / conv->groups;
    const int outs = conv->out.channels / conv->groups;
    const int kernel = ins * conv->size * conv->size;
    const int pixels = conv->out.height * conv->out.width;
    for (int g = 0; g < conv->groups; g++) {
        const float *in = input + (size_t)g * ins * conv->in.height * conv->in.width;
        const float *w = weights + (size_t)g * outs * kernel;
        float *out = output + (size_t)g * outs * pixels;
        if (is_pointwise(conv)) {
            mt_gemm(outs, pixels, ins, w, in, out, pixels);
            continue;
        }
        const int band = band_rows(conv);
        for (int y = 0; y < conv->out.height; y += band) {
            const int rows = conv->out.height - y < band ? conv->out.height - y : band;
            im2col(conv, in, ins, y, rows, columns);
            mt_gemm(outs, rows * conv->out.width, kernel, w, columns,
                    out + (size_t)y * conv->out.width, pixels);
        }
    }
}
