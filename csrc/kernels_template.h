/*
 * kernels_template.h: the kernels with the compiler's vector types; one file for each instruction
 * set includes it, with
 *
 *   LANES       floats of a vector
 *   MOST_1, MOST_2, MOST_4   outputs that convolve computes together for panels of 1, 2 and 4
 *               vectors (0: no such panel): as many as there are registers for their sums
 *   MULTIPLY_ADD(a, b, c)   a * b + c of vectors
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

/* Columns whose sums are made together: they stay in registers or the nearest cache. */
#define BLEND 64

/* Plain loops over bytes: the compiler turns them into vectors better than vector types do. */
static void blend(const uint8_t *bytes, ptrdiff_t stride, const float *weights, int rows, int count,
                  float *sums)
{
    for (; count >= BLEND; count -= BLEND, bytes += BLEND, sums += BLEND) {
        float columns[BLEND];
        for (int i = 0; i < BLEND; i++)
            columns[i] = weights[0] * (float)bytes[i];
        for (int r = 1; r < rows; r++)
            for (int i = 0; i < BLEND; i++)
                columns[i] += weights[r] * (float)bytes[r * stride + i];
        memcpy(sums, columns, sizeof columns);
    }
    for (int i = 0; i < count; i++)
        sums[i] = weights[0] * (float)bytes[i];
    for (int r = 1; r < rows; r++)
        for (int i = 0; i < count; i++)
            sums[i] += weights[r] * (float)bytes[r * stride + i];
}

static void mix(const float *pixels, int channels, const mt_taps *taps, const float *weights,
                int count, float scale, float shift, float *output)
{
    for (int i = 0; i < count; i++, output += 3) {
        const float *in = pixels + (size_t)taps[i].first * channels;
        const float *w = weights + taps[i].weights;
        quad sum = {0};
        if (channels == 1) {
            for (int j = 0; j < taps[i].count; j++)
                sum[0] += w[j] * in[j];
            sum = sum[0] - (quad){0};
        } else { /* the fourth float is the next pixel's, or alpha: overwritten next */
            for (int j = 0; j < taps[i].count; j++, in += channels)
                sum += w[j] * *(const quad *)in;
        }
        *(quad *)output = scale * sum + shift;
    }
}

const mt_kernels KERNELS = {NAME, LANES, MOST_4 ? 4 : 2, convolve, pool, blend, mix};
