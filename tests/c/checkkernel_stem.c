/* PNet's first convolution with its pooling, and its score. */
#include "checkkernel.h"

static float check_one_stem(const mt_kernels *kernels, int channels, int width, bool bench,
                            uint64_t *state)
{
    const int outputs = (width - 2 + 1) / 2, step = (channels + 15) / 16 * 16;
    const size_t plane = (size_t)width / 2 + 2 * kernels->vector + 1;
    const size_t in = 4 * 6 * plane, out = (size_t)outputs * step;
    float *input = test_guarded(in * 4), *weights = test_guarded((size_t)channels * 27 * 4);
    float *biases = test_guarded((size_t)channels * 4),
          *slopes = test_guarded((size_t)channels * 4);
    float *plain = test_guarded(out * 4), *fast = test_guarded(out * 4);
    test_fill(input, in, state);
    test_fill(weights, (size_t)channels * 27, state);
    test_fill(biases, (size_t)channels, state);
    for (int c = 0; c < channels; c++) /* falling, rising, steeper than 1 */
        slopes[c] = 2.0f * test_random_float(state);
    const int lower = (int)(test_random(state) %
                            2); /* a window cut at the bottom: the upper rows */
    mt_stem work = {.plane = (ptrdiff_t)plane,
                    .outputs = outputs,
                    .pairs = (width - 2) / 2,
                    .channels = channels,
                    .weights = weights,
                    .biases = biases,
                    .slopes = slopes,
                    .step = step,
                    .output = plain};
    for (int r = 0; r < 6; r++)
        work.rows[r] = input + (r < 3 ? r : r - 3 + lower) * 6 * plane;
    mt_kernels_c.stem(&work);
    work.output = fast;
    double best = INFINITY;
    for (int i = 0; i < (bench ? 200 : 1); i++) {
        const double start = check_seconds();
        kernels->stem(&work);
        best = fmin(best, check_seconds() - start);
    }
    const float difference = test_largest_difference(plain, fast, out);
    if (bench)
        printf("  %-24s %7.1f GFLOP/s\n", "PNet 3->10, 3x3 and pool",
               2e-9 * 27 * 4 * outputs * channels / best);
    test_guarded_free(input, in * 4);
    test_guarded_free(weights, (size_t)channels * 27 * 4);
    test_guarded_free(biases, (size_t)channels * 4);
    test_guarded_free(slopes, (size_t)channels * 4);
    test_guarded_free(plain, out * 4);
    test_guarded_free(fast, out * 4);
    return difference / sqrtf(27.0f);
}

static void check_split(const mt_kernels *kernels, uint64_t *state)
{
    const int count = 1 + (int)(test_random(state) % 70);
    const size_t plane = (size_t)count / 2 + 5, in = 3 * ((size_t)count + 7), out = 6 * plane;
    float *pixels = test_guarded(in * 4), *plain = test_guarded(out * 4),
          *fast = test_guarded(out * 4);
    test_fill(pixels, in, state);
    memset(plain, 0, out * 4);
    mt_kernels_c.split(pixels, count, (ptrdiff_t)plane, plain);
    kernels->split(pixels, count, (ptrdiff_t)plane, fast);
    for (int c = 0; c < 6; c++) {
        const size_t values = (size_t)(count + 1 - c % 2) / 2;
        CHECK(!memcmp(plain + c * plane, fast + c * plane, values * 4));
    }
    test_guarded_free(pixels, in * 4);
    test_guarded_free(plain, out * 4);
    test_guarded_free(fast, out * 4);
}

static float check_project(const mt_kernels *kernels, uint64_t *state)
{
    const int channels = 16 * (1 + (int)(test_random(state) % 4));
    const int count = 1 + (int)(test_random(state) % 20);
    const size_t in = (size_t)channels * count;
    float *pixels = test_guarded(in * 4), *weights = test_guarded((size_t)channels * 4);
    float *plain = test_guarded((size_t)count * 4), *fast = test_guarded((size_t)count * 4);
    test_fill(pixels, in, state);
    test_fill(weights, (size_t)channels, state);
    mt_kernels_c.project(pixels, channels, count, weights, 0.3f, plain);
    kernels->project(pixels, channels, count, weights, 0.3f, fast);
    const float difference = test_largest_difference(plain, fast, (size_t)count);
    test_guarded_free(pixels, in * 4);
    test_guarded_free(weights, (size_t)channels * 4);
    test_guarded_free(plain, (size_t)count * 4);
    test_guarded_free(fast, (size_t)count * 4);
    return difference / sqrtf((float)channels);
}

float check_stem(const mt_kernels *kernels, uint64_t *state, bool bench)
{
    float difference = check_one_stem(kernels, 10, 382, bench, state);
    for (int i = 0; i < 100; i++) {
        const int channels = 1 + (int)(test_random(state) % 40);
        const int width = 3 + (int)(test_random(state) % 70);
        difference = fmaxf(difference, check_one_stem(kernels, channels, width, false, state));
        check_split(kernels, state);
        difference = fmaxf(difference, check_project(kernels, state));
    }
    return difference;
}
