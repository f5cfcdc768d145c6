/*
 * kernels_template.h: the kernels with the compiler's vector types; one file for each instruction
 * set includes it, with
 *
 *   LANES       floats of a vector
 *   MOST_1, MOST_2, MOST_4   outputs that convolve computes together for panels of 1, 2 and 4
 *               vectors (0: no such panel): as many as there are registers for their sums
 *   MULTIPLY_ADD(a, b, c)   a * b + c of vectors
 *   MULTIPLY_ADD_4(a, b, c)   the same of four floats: rounded the same
 *   FROM_BYTES(p)   LANES floats from as many uint8_t
 *   NAME, KERNELS   the name and the variable of the table
 *
 * The compiler must not fuse products and sums of its own accord (-ffp-contract=off): it would do so
 * here and not there, and the same pixel would get other bits in another place or colour order.
 */
#include <string.h>

#include "kernels.h"

typedef float vec __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef int mask __attribute__((vector_size(4 * LANES)));
typedef float quad __attribute__((vector_size(16), aligned(4), may_alias));

/* Loops over sums must vanish, or the sums do not stay in registers. */
#define UNROLL _Pragma("GCC unroll 16")

static inline vec load(const float *values)
{
    return *(const vec *)values;
}

static inline void store(float *values, vec v)
{
    *(vec *)values = v;
}

static inline vec broadcast(float value)
{
    return value - (vec){0};
}

/* convolve_P_V for every block of P outputs and panel of V vectors. */
#define BLOCK_NAME(p, v) BLOCK_NAME_(p, v)
#define BLOCK_NAME_(p, v) convolve_##p##_##v
#define V 1
#include "kernels_blocks.h"
#undef V
#define V 2
#include "kernels_blocks.h"
#undef V
#if MOST_4
#define V 4
#include "kernels_blocks.h"
#undef V
#endif

typedef void (*block_function)(const mt_row_convolution *work, int first, int panel);

#define BLOCKS(v) \
    convolve_1_##v, convolve_2_##v, convolve_3_##v, convolve_4_##v, convolve_5_##v, convolve_6_##v
#define MORE_BLOCKS(v) \
    convolve_7_##v, convolve_8_##v, convolve_9_##v, convolve_10_##v, convolve_11_##v, \
        convolve_12_##v

static const block_function blocks_1[] = {BLOCKS(1), MORE_BLOCKS(1)};
#if MOST_2 == 12
static const block_function blocks_2[] = {BLOCKS(2), MORE_BLOCKS(2)};
#else
static const block_function blocks_2[] = {BLOCKS(2)};
#endif
#if MOST_4
static const block_function blocks_4[] = {BLOCKS(4)};
#endif

/* Outputs are shared out evenly over the blocks: 13 are 7 and 6, not 12 and a lonely 1. */
static void convolve(const mt_row_convolution *work)
{
    const block_function *functions = work->panel == 1 ? blocks_1 : blocks_2;
    int most = work->panel == 1 ? MOST_1 : MOST_2;
#if MOST_4
    if (work->panel == 4) {
        functions = blocks_4;
        most = MOST_4;
    }
#endif
    const int count = (work->outputs + most - 1) / most;
    for (int panel = 0; panel < work->vectors / work->panel; panel++) {
        for (int i = 0, first = 0; i < count; i++) {
            const int outputs = (work->outputs - first + count - i - 1) / (count - i);
            functions[outputs - 1](work, first, panel);
            first += outputs;
        }
    }
}

static vec larger(vec a, vec b)
{
    const mask greater = a > b;
    return (vec)(((mask)a & greater) | ((mask)b & ~greater));
}

static void pool(const mt_row_pooling *work)
{
    float *output = work->output;
    for (int p = 0; p < work->outputs; p++) {
        const int left = p * work->stride;
        const int right = left + work->size < work->width ? left + work->size : work->width;
        for (int c = 0; c < work->channels; c += LANES, output += LANES) {
            vec largest = load(work->rows[0] + (size_t)left * work->channels + c);
            for (int r = 0; r < work->row_count; r++)
                for (int x = left; x < right; x++)
                    largest = larger(largest, load(work->rows[r] + (size_t)x * work->channels + c));
            store(output, largest);
        }
    }
}

#define INLINE static inline __attribute__((always_inline))

/* blend of `vectors` (at most 4) vectors of columns, from sums to results. */
INLINE void blend_vectors(const uint8_t *bytes, ptrdiff_t stride, const float *weights, int rows,
                          int vectors, const float *now, const float *next, float *now_results,
                          float *next_results)
{
    vec sums[4], nexts[4];
    UNROLL for (int v = 0; v < vectors; v++)
    {
        sums[v] = load(now + v * LANES);
        if (next)
            nexts[v] = load(next + v * LANES);
    }
    for (int r = 0; r < rows; r++, bytes += stride) {
        const vec weight = broadcast(weights[2 * r]), weight_next = broadcast(weights[2 * r + 1]);
        UNROLL for (int v = 0; v < vectors; v++)
        {
            const vec values = FROM_BYTES(bytes + v * LANES);
            sums[v] = MULTIPLY_ADD(weight, values, sums[v]);
            if (next)
                nexts[v] = MULTIPLY_ADD(weight_next, values, nexts[v]);
        }
    }
    UNROLL for (int v = 0; v < vectors; v++)
    {
        store(now_results + v * LANES, sums[v]);
        if (next)
            store(next_results + v * LANES, nexts[v]);
    }
}

/* Fewer columns than a vector has: one row at a time, in a vector filled up with zeros. */
INLINE void blend_few(const uint8_t *bytes, ptrdiff_t stride, const float *weights, int rows,
                      int count, float *now, float *next)
{
    float sums[LANES] = {0}, nexts[LANES] = {0};
    memcpy(sums, now, (size_t)count * sizeof *now);
    if (next)
        memcpy(nexts, next, (size_t)count * sizeof *next);
    for (int r = 0; r < rows; r++, bytes += stride) {
        uint8_t row[LANES] = {0};
        memcpy(row, bytes, (size_t)count);
        blend_vectors(row, 0, weights + 2 * r, 1, 1, sums, nexts, sums, nexts);
    }
    memcpy(now, sums, (size_t)count * sizeof *now);
    if (next)
        memcpy(next, nexts, (size_t)count * sizeof *next);
}

/* Whole vectors for all columns, so that they round alike. The last one may overlap the one before
   it: so it is made first, and stored last. */
INLINE void blend_columns(const uint8_t *bytes, ptrdiff_t stride, const float *weights, int rows,
                          int count, float *now, float *next)
{
    if (count < LANES) {
        blend_few(bytes, stride, weights, rows, count, now, next);
        return;
    }
    const int last = count - LANES;
    float *next_last = next ? next + last : NULL;
    float results[LANES] = {0}, next_results[LANES] = {0};
    if (count % LANES)
        blend_vectors(bytes + last, stride, weights, rows, 1, now + last, next_last, results,
                      next_results);
    int i = 0;
    for (; i + 4 * LANES <= count; i += 4 * LANES)
        blend_vectors(bytes + i, stride, weights, rows, 4, now + i, next ? next + i : NULL, now + i,
                      next ? next + i : NULL);
    for (; i + LANES <= count; i += LANES)
        blend_vectors(bytes + i, stride, weights, rows, 1, now + i, next ? next + i : NULL, now + i,
                      next ? next + i : NULL);
    if (count % LANES) {
        memcpy(now + last, results, sizeof results);
        if (next)
            memcpy(next_last, next_results, sizeof next_results);
    }
}

static void blend(const uint8_t *bytes, ptrdiff_t stride, const float *weights, int rows, int count,
                  float *now, float *next)
{
    if (next)
        blend_columns(bytes, stride, weights, rows, count, now, next);
    else
        blend_columns(bytes, stride, weights, rows, count, now, NULL);
}

/* mix for a number of taps that the compiler may know. */
INLINE void mix_taps(const float *pixels, int channels, const int *firsts, const float *weights,
                     int taps, int count, float scale, float shift, float *output)
{
    const quad scales = scale - (quad){0}, shifts = shift - (quad){0};
    for (int i = 0; i < count; i++, weights += taps, output += 3) {
        const float *in = pixels + (size_t)firsts[i] * channels;
        quad sum = {0};
        UNROLL for (int k = 0; k < taps; k++)
        {
            /* The fourth float is the next pixel's, or alpha: overwritten next. */
            quad pixel = in[k * channels] - (quad){0};
            if (channels > 1)
                pixel = *(const quad *)(in + k * channels);
            sum = MULTIPLY_ADD_4(weights[k] - (quad){0}, pixel, sum);
        }
        *(quad *)output = MULTIPLY_ADD_4(scales, sum, shifts);
    }
}

static void mix(const float *pixels, int channels, const int *firsts, const float *weights,
                int taps, int count, float scale, float shift, float *output)
{
    switch (channels == 3 ? taps : 0) {
#define MIX(n) \
    case n: mix_taps(pixels, 3, firsts, weights, n, count, scale, shift, output); break
        MIX(2);
        MIX(3);
        MIX(4);
        MIX(5);
        MIX(6);
        MIX(7);
        MIX(8);
        MIX(9);
        MIX(10);
        MIX(11);
        MIX(12);
        MIX(13);
        MIX(14);
    default: mix_taps(pixels, channels, firsts, weights, taps, count, scale, shift, output);
    }
}

const mt_kernels KERNELS = {NAME, LANES, MOST_4 ? 4 : 2, convolve, pool, blend, mix};
