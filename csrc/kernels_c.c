/* The kernels in plain C. */
#include <math.h>

#include "kernels.h"

#define LANES 4

static float activate(float sum, float slope)
{
    return sum > 0.0f ? sum : slope * sum;
}

static void convolve(const mt_row_convolution *work)
{
    const int channels = work->vectors * LANES, panel = work->panel * LANES;
    const int inputs = work->row_count * work->segments * work->length;
    for (int p = 0; p < work->outputs; p++) {
        for (int c = 0; c < channels; c++) {
            const float *weights = work->weights + (size_t)(c / panel) * inputs * panel + c % panel;
            float sum = work->biases[c];
            for (int r = 0; r < work->row_count; r++) {
                for (int s = 0; s < work->segments; s++) {
                    const float *in = work->rows[r] + p * work->step + s * work->segment_step;
                    for (int j = 0; j < work->length; j++, weights += panel)
                        sum += *weights * in[j];
                }
            }
            work->output[p * work->output_step + c] = activate(sum, work->slopes[c]);
        }
    }
}

static void pool(const mt_row_pooling *work)
{
    for (int p = 0; p < work->outputs; p++) {
        const int left = p * work->stride;
        const int right = left + work->size < work->width ? left + work->size : work->width;
        for (int c = 0; c < work->channels; c++) {
            float largest = work->rows[0][(size_t)left * work->channels + c];
            for (int r = 0; r < work->row_count; r++)
                for (int x = left; x < right; x++)
                    if (work->rows[r][(size_t)x * work->channels + c] > largest)
                        largest = work->rows[r][(size_t)x * work->channels + c];
            work->output[(size_t)p * work->channels + c] = largest;
        }
    }
}

/* The matrices of winograd.h, with their first point at 0 and their last at infinity. */
#define P1 MT_POINT_1
#define P2 MT_POINT_2
static const float input_matrix[6][6] = {
    {P1 * P1 * P2 * P2, 0, -(P1 *P1 + P2 * P2), 0, 1, 0},
    {0, -P1 *P2 *P2, -P2 *P2, P1, 1, 0},
    {0, P1 *P2 *P2, -P2 *P2, -P1, 1, 0},
    {0, -P1 *P1 *P2, -P1 *P1, P2, 1, 0},
    {0, P1 *P1 *P2, -P1 *P1, -P2, 1, 0},
    {0, P1 *P1 *P2 *P2, 0, -(P1 *P1 + P2 * P2), 0, 1},
};
static const float output_matrix[4][6] = {
    {1, 1, 1, 1, 1, 0},
    {0, P1, -P1, P2, -P2, 0},
    {0, P1 *P1, P1 *P1, P2 *P2, P2 *P2, 0},
    {0, P1 *P1 *P1, -P1 *P1 *P1, P2 *P2 *P2, -P2 *P2 *P2, 1},
};

static void tiles_in(const mt_tiles_in *work)
{
    for (int i = 0; i < work->tiles * work->step; i++) {
        const int tile = i / work->step, c = i % work->step;
        for (int p = 0; p < 36; p++) {
            float sum = 0.0f;
            for (int y = 0; y < 6; y++)
                for (int x = 0; x < 6; x++)
                    sum += input_matrix[p / 6][y] * input_matrix[p % 6][x] *
                           work->rows[y][(4 * tile + x) * work->step + c];
            work->values[p * work->values_step + i] = sum;
        }
    }
}

static void tiles_multiply(const mt_tiles_multiply *work)
{
    const int width = work->panel * LANES;
    for (int p = 0; p < 36; p++) {
        for (int i = 0; i < work->tiles * width; i++) {
            float sum = 0.0f;
            for (int c = 0; c < work->channels; c++)
                sum += work->values[p * work->values_step + i / width * work->step + c] *
                       work->weights[(p * work->channels + c) * width + i % width];
            work->products[p * work->products_step + i] = sum;
        }
    }
}

static void tiles_out(const mt_tiles_out *work)
{
    const int channels = work->vectors * LANES;
    for (int i = 0; i < work->tiles * channels; i++) {
        const int tile = i / channels, c = i % channels;
        for (int y = 0; y < 4; y++) {
            for (int x = 0; x < 4; x++) {
                float sum = work->biases[c];
                for (int p = 0; p < 36; p++)
                    sum += output_matrix[y][p / 6] * output_matrix[x][p % 6] *
                           work->products[p * work->products_step + i];
                work->rows[y][(4 * tile + x) * work->step + c] = activate(sum, work->slopes[c]);
            }
        }
    }
}

static void split(const float *pixels, int count, ptrdiff_t plane, float *planes)
{
    for (int x = 0; x < count; x++)
        for (int c = 0; c < 3; c++)
            planes[(2 * c + x % 2) * plane + x / 2] = pixels[3 * x + c];
}

/* An output of the convolution in mt_stem, without bias: rows are its own three. */
static float stem_sum(const mt_stem *work, const float *const *rows, int column,
                      const float *weights)
{
    float sum = 0.0f;
    for (int i = 0; i < 27; i++) {
        const int y = i / 9, c = i / 3 % 3, x = column + i % 3;
        sum += weights[i] * rows[y][(2 * c + x % 2) * work->plane + x / 2];
    }
    return sum;
}

static void stem(const mt_stem *work)
{
    for (int p = 0; p < work->outputs; p++) {
        for (int c = 0; c < work->step; c++) {
            float *output = &work->output[(size_t)p * work->step + c];
            *output = 0.0f;
            if (c >= work->channels)
                continue;
            *output = -INFINITY;
            for (int y = 0; y < 2; y++) {
                for (int x = 0; x < 1 + (p < work->pairs); x++) {
                    const float sum = stem_sum(work, work->rows + 3 * y, 2 * p + x,
                                               work->weights + 27 * c);
                    *output = fmaxf(*output, activate(sum + work->biases[c], work->slopes[c]));
                }
            }
        }
    }
}

static void project(const float *pixels, int channels, int count, const float *weights, float bias,
                    float *sums)
{
    for (int i = 0; i < count; i++) {
        sums[i] = bias;
        for (int c = 0; c < channels; c++)
            sums[i] += weights[c] * pixels[(size_t)i * channels + c];
    }
}

static void blend(const uint8_t *bytes, ptrdiff_t stride, const float *weights, int rows, int count,
                  float *now, float *next)
{
    for (int r = 0; r < rows; r++) {
        for (int i = 0; i < count; i++) {
            now[i] += weights[2 * r] * (float)bytes[r * stride + i];
            if (next)
                next[i] += weights[2 * r + 1] * (float)bytes[r * stride + i];
        }
    }
}

static void mix(const float *pixels, int channels, const int *firsts, const float *weights,
                int taps, int count, float scale, float shift, float *output)
{
    for (int i = 0; i < count; i++, weights += taps) {
        for (int c = 0; c < 3; c++) {
            const float *in = pixels + (size_t)firsts[i] * channels + (channels > 1 ? c : 0);
            float sum = 0.0f;
            for (int k = 0; k < taps; k++)
                sum += weights[k] * in[k * channels];
            *output++ = scale * sum + shift;
        }
    }
}

const mt_kernels mt_kernels_c = {
    .name = "c",
    .vector = LANES,
    .direct = true,
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
