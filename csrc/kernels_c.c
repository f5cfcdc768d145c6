/* The kernels in plain C. */
#include "kernels.h"

#define LANES 4

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
            work->output[(size_t)p * channels + c] = sum > 0.0f ? sum : work->slopes[c] * sum;
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

const mt_kernels mt_kernels_c = {"c", LANES, 2, convolve, pool, blend, mix};
