/* The fast convolution against the plain one: random and odd sizes, guards around all memory. */
#include "convolution.h"
#include "gemm.h"
#include "test.h"

#define TOLERANCE 1e-5f /* times the square root of the number of products in a sum */

static float compare(const mt_convolution *conv, uint64_t *state)
{
    const size_t in = (size_t)conv->in.channels * conv->in.height * conv->in.width;
    const size_t out = (size_t)conv->out.channels * conv->out.height * conv->out.width;
    const size_t kernel = (size_t)(conv->in.channels / conv->groups) * conv->size * conv->size;
    const size_t weights = conv->out.channels * kernel;
    const size_t columns = mt_convolve_columns(conv);
    float *input = test_guarded(in * 4), *w = test_guarded(weights * 4);
    float *plain = test_guarded(out * 4), *fast = test_guarded(out * 4);
    float *scratch = test_guarded(columns * 4);
    test_fill(input, in, state);
    test_fill(w, weights, state);
    mt_convolve_plain(conv, input, w, plain);
    mt_convolve_gemm(conv, input, w, fast, scratch);
    float difference = test_largest_difference(plain, fast, out) / sqrtf((float)kernel);
    if (!(difference < TOLERANCE))
        fprintf(stderr, "%d->%d channels, %dx%d, size %d stride %d pad %d groups %d: %g\n",
                conv->in.channels, conv->out.channels, conv->in.width, conv->in.height, conv->size,
                conv->stride, conv->pad, conv->groups, (double)difference);
    CHECK(difference < TOLERANCE);
    test_guarded_free(input, in * 4);
    test_guarded_free(w, weights * 4);
    test_guarded_free(plain, out * 4);
    test_guarded_free(fast, out * 4);
    test_guarded_free(scratch, columns * 4);
    return difference;
}

static mt_convolution make(int ins, int outs, int height, int width, int size, int stride, int pad,
                           int groups)
{
    mt_convolution conv = {
        .in = {ins, height, width}, .size = size, .stride = stride, .pad = pad, .groups = groups};
    conv.out = (mtcnn_shape){outs, (height + 2 * pad - size) / stride + 1,
                             (width + 2 * pad - size) / stride + 1};
    return conv;
}

int main(void)
{
    uint64_t state = 1;
    float largest = 0.0f;
    REQUIRE(!mt_gemm_load(NULL));
    /* The cascade's own shapes; the last is wide enough for several bands. */
    const mt_convolution own[] = {
        make(3, 10, 12, 12, 3, 1, 0, 1),   make(10, 16, 41, 57, 3, 1, 0, 1),
        make(16, 32, 39, 55, 3, 1, 0, 1),  make(32, 4, 37, 53, 1, 1, 0, 1),
        make(3, 28, 24, 24, 3, 1, 0, 1),   make(48, 64, 4, 4, 2, 1, 0, 1),
        make(64, 128, 4, 4, 2, 1, 0, 1),   make(64, 128, 3, 3, 3, 1, 0, 1),
        make(3, 10, 300, 401, 3, 1, 0, 1),
    };
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        largest = fmaxf(largest, compare(&own[i], &state));

    for (int i = 0; i < 300; i++) {
        const int groups = 1 + (int)(test_random(&state) % 3);
        const int size = 1 + (int)(test_random(&state) % 5);
        const int pad = (int)(test_random(&state) % 3);
        const int ins = groups * test_random_int(&state, 1, 5);
        const int outs = groups * test_random_int(&state, 1, 7);
        const int height = size + test_random_int(&state, 0, 19);
        const int width = size + test_random_int(&state, 0, 19);
        const int stride = test_random_int(&state, 1, 3);
        const mt_convolution conv = make(ins, outs, height, width, size, stride, pad, groups);
        largest = fmaxf(largest, compare(&conv, &state));
    }
    printf("im2col  largest difference of a convolution %.1e, tolerance %.0e\n", (double)largest,
           (double)TOLERANCE);
    return test_end();
}
