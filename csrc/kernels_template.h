/*
 * kernels_template.h: the kernels with the compiler's vector types; one file for each instruction
 * set includes it, with
 *
 *   LANES       floats of a vector
 *   MAX_1, MAX_2   outputs that convolve computes together for panels of 1 and 2 vectors: as many
 *               as there are registers for their sums
 *   MAX_STEM   channels that stem computes together: 2 or 5, each with 4 sums
 *   MULTIPLY_ADD(a, b, c)   a * b + c of vectors
 *   LARGER(a, b), SMALLER(a, b)   lane by lane
 *   MULTIPLY_ADD_4(a, b, c)   the same of four floats: rounded the same
 *   FROM_BYTES(p)   LANES floats from as many uint8_t
 *   NAME, KERNELS   the name and the variable of the table
 *
 * The compiler must not fuse products and sums by itself (-ffp-contract=off): it would do so
 * here and not there, and the same pixel would get other bits in another place or colour order.
 */
#include <string.h>

#include "kernels.h"

/* Vectors to reckon with. In memory they may lie at any float: read and written as the types below,
   which are for that alone, as compilers trip over arguments of such types. */
typedef float vec __attribute__((vector_size(4 * LANES), may_alias));
typedef float quad __attribute__((vector_size(16), may_alias));
typedef int mask __attribute__((vector_size(4 * LANES)));
typedef float vec_anywhere __attribute__((vector_size(4 * LANES), aligned(4), may_alias));
typedef float quad_anywhere __attribute__((vector_size(16), aligned(4), may_alias));
_Static_assert(_Alignof(vec) > _Alignof(float) && _Alignof(quad) > _Alignof(float), "plain types");

/* Loops over sums must vanish, or the sums do not stay in registers. */
#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#define UNROLL_IF_KNOWN /* does so by itself, and would warn where the length is not known */
#else
#define UNROLL _Pragma("GCC unroll 16")
#define UNROLL_IF_KNOWN UNROLL
#endif

/* For functions whose arguments are constants where they are called. */
#define INLINE static inline __attribute__((always_inline))

static inline vec load(const float *values)
{
    return *(const vec_anywhere *)values;
}

static inline void store(float *values, vec v)
{
    *(vec_anywhere *)values = v;
}

static inline quad load_quad(const float *values)
{
    return *(const quad_anywhere *)values;
}

static inline void store_quad(float *values, quad v)
{
    *(quad_anywhere *)values = v;
}

static inline vec broadcast(float value)
{
    return value - (vec){0};
}

#if defined(NEEDS_LARGER)
static inline vec larger(vec a, vec b)
{
    const mask greater = a > b;
    return (vec)(((mask)a & greater) | ((mask)b & ~greater));
}
#endif

static inline vec activate(vec sum, vec slope)
{
    const vec positive = LARGER(sum, (vec){0});
    return MULTIPLY_ADD(slope, sum - positive, positive);
}

#if defined(__clang__)
#define SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
typedef int quad_mask __attribute__((vector_size(16)));
#define SHUFFLE(a, b, ...) __builtin_shuffle(a, b, (quad_mask){__VA_ARGS__})
#endif

/* rows [4][4] become columns */
static inline void transpose(quad rows[4])
{
    const quad a = SHUFFLE(rows[0], rows[1], 0, 4, 1, 5), b = SHUFFLE(rows[0], rows[1], 2, 6, 3, 7);
    const quad c = SHUFFLE(rows[2], rows[3], 0, 4, 1, 5), d = SHUFFLE(rows[2], rows[3], 2, 6, 3, 7);
    rows[0] = SHUFFLE(a, c, 0, 1, 4, 5);
    rows[1] = SHUFFLE(a, c, 2, 3, 6, 7);
    rows[2] = SHUFFLE(b, d, 0, 1, 4, 5);
    rows[3] = SHUFFLE(b, d, 2, 3, 6, 7);
}

/* convolve_P_V for every block of P outputs and panel of V vectors. */
#define BLOCK_NAME(p, v) BLOCK_NAME_(p, v)
#define BLOCK_NAME_(p, v) convolve_##p##_##v
#define MULTIPLY_NAME(p, v) MULTIPLY_NAME_(p, v)
#define MULTIPLY_NAME_(p, v) multiply_##p##_##v
#define V 1
#include "kernels_panel.h"
#undef V
#define V 2
#include "kernels_panel.h"
#undef V

typedef void (*block_function)(const mt_row_convolution *work, int first, int panel);
typedef void (*multiply_function)(const float *values, ptrdiff_t step, const float *weights,
                                  int channels, float *products);

/* name_1_v, name_2_v, ... */
#define BLOCKS(name, v) \
    name##_1_##v, name##_2_##v, name##_3_##v, name##_4_##v, name##_5_##v, name##_6_##v
#define MORE_BLOCKS(name, v) \
    name##_7_##v, name##_8_##v, name##_9_##v, name##_10_##v, name##_11_##v, name##_12_##v

static const block_function blocks_1[] = {BLOCKS(convolve, 1), MORE_BLOCKS(convolve, 1)};
static const multiply_function multiply_1[] = {BLOCKS(multiply, 1), MORE_BLOCKS(multiply, 1)};
#if MAX_2 == 12
static const block_function blocks_2[] = {BLOCKS(convolve, 2), MORE_BLOCKS(convolve, 2)};
static const multiply_function multiply_2[] = {BLOCKS(multiply, 2), MORE_BLOCKS(multiply, 2)};
#else
static const block_function blocks_2[] = {BLOCKS(convolve, 2)};
static const multiply_function multiply_2[] = {BLOCKS(multiply, 2)};
#endif

/* Outputs are shared out evenly over the blocks: 13 are 7 and 6, not 12 and 1. */
static void convolve(const mt_row_convolution *work)
{
    const block_function *functions = work->panel == 1 ? blocks_1 : blocks_2;
    const int most = work->panel == 1 ? MAX_1 : MAX_2;
    const int count = (work->outputs + most - 1) / most;
    for (int panel = 0; panel < work->vectors / work->panel; panel++) {
        for (int i = 0, first = 0; i < count; i++) {
            const int outputs = (work->outputs - first + count - i - 1) / (count - i);
            functions[outputs - 1](work, first, panel);
            first += outputs;
        }
    }
}

/* Outputs first..end - 1, whose windows are whole: [rows][size] for the compiler to unroll. */
INLINE void pool_whole(const mt_row_pooling *work, const int rows, const int size, int first,
                       int end)
{
    const ptrdiff_t step = work->channels;
    for (int p = first; p < end; p++) {
        const ptrdiff_t left = p * work->stride * step;
        for (int c = 0; c < work->channels; c += LANES) {
            vec largest = load(work->rows[0] + left + c);
            for (int r = 0; r < rows; r++)
                for (int x = 0; x < size; x++)
                    largest = LARGER(load(work->rows[r] + left + x * step + c), largest);
            store(work->output + p * step + c, largest);
        }
    }
}

static void pool(const mt_row_pooling *work)
{
    const int fit = (work->width - work->size + work->stride) / work->stride;
    const int whole = fit < work->outputs ? fit : work->outputs;
    if (work->row_count == 3 && work->size == 3)
        pool_whole(work, 3, 3, 0, whole);
    else if (work->row_count == 2 && work->size == 2)
        pool_whole(work, 2, 2, 0, whole);
    else
        pool_whole(work, work->row_count, work->size, 0, whole);
    for (int p = whole; p < work->outputs; p++)
        pool_whole(work, work->row_count, work->width - p * work->stride, p, p + 1);
}

static void project(const float *pixels, int channels, int count, const float *weights, float bias,
                    float *sums)
{
    for (int i = 0; i < count; i += 4) {
        quad quads[4];
        for (int p = 0; p < 4; p++) {
            const int pixel = i + p < count ? i + p : i; /* any, at the end */
            const float *in = pixels + (size_t)pixel * channels;
            vec sum = {0};
            for (int c = 0; c < channels; c += LANES)
                sum = MULTIPLY_ADD(load(weights + c), load(in + c), sum);
            quads[p] = (quad){0};
            UNROLL for (int k = 0; k < LANES; k += 4)
                quads[p] += load_quad((const float *)&sum + k);
        }
        transpose(quads);
        const quad sum = quads[0] + quads[1] + quads[2] + quads[3] + bias;
        if (i + 4 <= count)
            store_quad(sums + i, sum);
        else
            memcpy(sums + i, &sum, (size_t)(count - i) * sizeof *sums);
    }
}

#include "kernels_resize.h"
#include "kernels_stem.h"
#include "kernels_winograd.h"

const mt_kernels KERNELS = {
    .name = NAME,
    .vector = LANES,
    .convolve = convolve,
    .tiles_in = tiles_in,
    .tiles_multiply = tiles_multiply,
    .tiles_out = tiles_out,
    .pool = pool,
    .split = split,
    .stem = stem,
    .project = project,
    .blend = blend,
    .mix = mix,
};
