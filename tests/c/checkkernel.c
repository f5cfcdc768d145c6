/*
 * checkkernel: every kernel that this processor can run against the plain C one, on random and odd
 * sizes, rows at any address, guards around all memory.
 *
 *     checkkernel            compare
 *     checkkernel --bench    compare, and time the shapes of the cascade's networks
 *
 * Kernels may fuse products and sums, and use Winograd's method. So the tolerance is 1e-5 for
 * convolutions, times the square root of the number of products in a sum (values are -1..1), for
 * resizing 1e-6 of the largest value that a sum can have, and for pooling 0.
 */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */
#include "checkkernel.h"

#include <time.h>

#define CONVOLVE_TOLERANCE 1e-5f
#define RESIZE_TOLERANCE 1e-6f

double check_seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* A convolution of one row, with any valid arguments of the kernels. */
typedef struct shape {
    const char *name;
    int size;      /* of the kernel, rows and columns */
    int ins, step; /* channels of the input, floats of an input pixel */
    int channels;  /* of the output, a multiple of 16 */
    int outputs;
    int panel; /* requested, in vectors */
} shape;

/* Weights [channels][inputs] in the order of these kernels. */
static float *pack(const mt_kernels *kernels, const float *weights, int channels, int inputs,
                   int panel)
{
    float *packed = test_guarded((size_t)channels * inputs * sizeof *packed);
    const int width = panel * kernels->vector;
    for (int c = 0; c < channels; c++)
        for (int i = 0; i < inputs; i++)
            packed[((size_t)(c / width) * inputs + i) * width + c % width] =
                weights[(size_t)c * inputs + i];
    return packed;
}

static int fitting_panel(const mt_kernels *kernels, const shape *shape)
{
    return shape->channels / kernels->vector % shape->panel ? 1 : shape->panel;
}

/* Runs a shape; output [outputs][channels]. Returns the minimum seconds of `repeats` runs. */
static double convolve(const mt_kernels *kernels, const shape *shape, const float *input,
                       size_t row_floats, const float *weights, const float *biases,
                       const float *slopes, float *output, int repeats)
{
    const int inputs = shape->size * shape->size * shape->ins;
    const bool whole = shape->step == shape->ins;
    const int panel = fitting_panel(kernels, shape);
    float *packed = pack(kernels, weights, shape->channels, inputs, panel);
    const float *rows[16];
    for (int r = 0; r < shape->size; r++)
        rows[r] = input + r * row_floats;
    const mt_row_convolution work = {
        .rows = rows,
        .row_count = shape->size,
        .segments = whole ? 1 : shape->size,
        .segment_step = shape->step,
        .length = whole ? shape->size * shape->ins : shape->ins,
        .step = shape->step,
        .outputs = shape->outputs,
        .vectors = shape->channels / kernels->vector,
        .panel = panel,
        .weights = packed,
        .biases = biases,
        .slopes = slopes,
        .output = output,
        .output_step = shape->channels,
    };
    double best = INFINITY;
    for (int i = 0; i < repeats; i++) {
        const double start = check_seconds();
        kernels->convolve(&work);
        best = fmin(best, check_seconds() - start);
    }
    test_guarded_free(packed, (size_t)shape->channels * inputs * sizeof *packed);
    return best;
}

static float check_convolve(const mt_kernels *kernels, const shape *shape, uint64_t *state,
                            bool bench)
{
    const int inputs = shape->size * shape->size * shape->ins;
    /* Rows at any address: an odd number of floats apart. */
    const size_t row = (size_t)(shape->outputs + shape->size - 1) * shape->step + 7;
    const size_t in = row * shape->size, out = (size_t)shape->outputs * shape->channels;
    float *input = test_guarded(in * 4),
          *weights = test_guarded((size_t)shape->channels * inputs * 4);
    float *biases = test_guarded((size_t)shape->channels * 4);
    float *slopes = test_guarded((size_t)shape->channels * 4);
    float *plain = test_guarded(out * 4), *fast = test_guarded(out * 4);
    test_fill(input, in, state);
    test_fill(weights, (size_t)shape->channels * inputs, state);
    test_fill(biases, (size_t)shape->channels, state);
    test_fill(slopes, (size_t)shape->channels, state);

    convolve(&mt_kernels_c, shape, input, row, weights, biases, slopes, plain, 1);
    const double time = convolve(kernels, shape, input, row, weights, biases, slopes, fast,
                                 bench ? 200 : 1);
    const float difference = test_largest_difference(plain, fast, out) / sqrtf((float)inputs);
    CHECK(difference <= CONVOLVE_TOLERANCE);
    if (bench)
        printf("  %-24s %7.1f GFLOP/s\n", shape->name, 2e-9 * (double)out * inputs / time);

    test_guarded_free(input, in * 4);
    test_guarded_free(weights, (size_t)shape->channels * inputs * 4);
    test_guarded_free(biases, (size_t)shape->channels * 4);
    test_guarded_free(slopes, (size_t)shape->channels * 4);
    test_guarded_free(plain, out * 4);
    test_guarded_free(fast, out * 4);
    return difference;
}

static void check_pool(const mt_kernels *kernels, uint64_t *state)
{
    const int size = 1 + (int)(test_random(state) % 3), stride = 1 + (int)(test_random(state) % 2);
    const int rows_given = 1 + (int)(test_random(state) % size);
    const int pad = size > 1 ? (int)(test_random(state) % 2) : 0;
    const int width = size - pad + (int)(test_random(state) % 20);
    const int channels = 16 * (1 + (int)(test_random(state) % 3));
    const int outputs = (width + pad - size) / stride + 1;
    const size_t row = (size_t)width * channels + 5, out = (size_t)outputs * channels;
    float *input = test_guarded(row * rows_given * 4);
    float *plain = test_guarded(out * 4), *fast = test_guarded(out * 4);
    test_fill(input, row * rows_given, state);
    const float *rows[3];
    for (int r = 0; r < rows_given; r++)
        rows[r] = input + r * row;
    mt_row_pooling work = {rows, rows_given, width, channels, size, stride, outputs, plain};
    mt_kernels_c.pool(&work);
    work.output = fast;
    kernels->pool(&work);
    CHECK(!memcmp(plain, fast, out * 4));
    test_guarded_free(input, row * rows_given * 4);
    test_guarded_free(plain, out * 4);
    test_guarded_free(fast, out * 4);
}

static float check_blend(const mt_kernels *kernels, uint64_t *state)
{
    const int count = 1 + (int)(test_random(state) % 200), rows = 1 + (int)(test_random(state) % 6);
    const int stride = count + (int)(test_random(state) % 4); /* rows at any address */
    const bool both = test_random(state) % 2;
    const size_t in = (size_t)stride * (rows - 1) + count;
    const size_t out = (size_t)count * 4;
    uint8_t *bytes = test_guarded(in);
    float *weights = test_guarded((size_t)rows * 8);
    float *plain[2], *fast[2], *part[2];
    for (size_t i = 0; i < in; i++)
        bytes[i] = (uint8_t)test_random(state);
    for (int r = 0; r < 2 * rows; r++)
        weights[r] = fabsf(test_random_float(state)) / (float)rows;
    for (int i = 0; i < 2; i++) {
        plain[i] = test_guarded(out);
        fast[i] = test_guarded(out);
        part[i] = test_guarded(out);
        for (int k = 0; k < count; k++)
            part[i][k] = fast[i][k] = plain[i][k] = 255.0f * fabsf(test_random_float(state));
    }
    mt_kernels_c.blend(bytes, stride, weights, rows, count, plain[0], both ? plain[1] : NULL);
    kernels->blend(bytes, stride, weights, rows, count, fast[0], both ? fast[1] : NULL);

    /* Columns round the same at any position: a part of them, and one row after the other. */
    const int first = (int)(test_random(state) % count);
    const int length = 1 + (int)(test_random(state) % (count - first));
    for (int r = 0; r < rows; r++)
        kernels->blend(bytes + (ptrdiff_t)r * stride + first, stride, weights + 2 * r, 1, length,
                       part[0] + first, both ? part[1] + first : NULL);

    float difference = 0.0f;
    for (int i = 0; i < 2; i++) {
        difference = fmaxf(difference,
                           test_largest_difference(plain[i], fast[i], (size_t)count) / 255.0f);
        if (i == 0 || both)
            CHECK(!memcmp(part[i] + first, fast[i] + first, (size_t)length * 4));
        test_guarded_free(plain[i], out);
        test_guarded_free(fast[i], out);
        test_guarded_free(part[i], out);
    }
    CHECK(difference <= RESIZE_TOLERANCE);
    test_guarded_free(bytes, in);
    test_guarded_free(weights, (size_t)rows * 8);
    return difference;
}

static float check_mix(const mt_kernels *kernels, uint64_t *state)
{
    const int channels = (const int[]){1, 3, 4}[test_random(state) % 3];
    const int width = 1 + (int)(test_random(state) % 60);
    const int count = 1 + (int)(test_random(state) % 40);
    const int taps = 1 + (int)(test_random(state) % (width < 20 ? width : 20));
    const size_t in = ((size_t)width * channels + 1) * 4, out = (3 * (size_t)count + 1) * 4;
    const size_t weight_bytes = (size_t)count * taps * 4;
    float *pixels = test_guarded(in), *weights = test_guarded(weight_bytes);
    float *plain = test_guarded(out), *fast = test_guarded(out);
    int *firsts = test_guarded((size_t)count * sizeof *firsts);
    for (size_t i = 0; i < in / 4; i++)
        pixels[i] = (float)(test_random(state) % 256);
    for (int i = 0; i < count; i++) {
        firsts[i] = (int)(test_random(state) % (width - taps + 1));
        for (int k = 0; k < taps; k++)
            weights[i * taps + k] = fabsf(test_random_float(state)) / (float)taps;
    }
    mt_kernels_c.mix(pixels, channels, firsts, weights, taps, count, 0.5f, -3.0f, plain);
    kernels->mix(pixels, channels, firsts, weights, taps, count, 0.5f, -3.0f, fast);
    const float difference = test_largest_difference(plain, fast, 3 * (size_t)count) / 128.0f;
    CHECK(difference <= RESIZE_TOLERANCE);

    /* The channels of a pixel round the same: in the other order, they are the same. */
    if (channels > 1) {
        for (int i = 0; i < width; i++) {
            const float swap = pixels[i * channels];
            pixels[i * channels] = pixels[i * channels + 2];
            pixels[i * channels + 2] = swap;
        }
        kernels->mix(pixels, channels, firsts, weights, taps, count, 0.5f, -3.0f, plain);
        for (int i = 0; i < 3 * count; i++)
            CHECK(plain[i] == fast[i / 3 * 3 + 2 - i % 3]);
    }
    test_guarded_free(pixels, in);
    test_guarded_free(weights, weight_bytes);
    test_guarded_free(plain, out);
    test_guarded_free(fast, out);
    test_guarded_free(firsts, (size_t)count * sizeof *firsts);
    return difference;
}

/* The rows of a cascade's networks. */
static const shape cascade[] = {
    {"PNet 3->10(16), 3x3", 3, 3, 3, 16, 382, 2},
    {"PNet 10->16, 3x3", 3, 10, 16, 16, 189, 2},
    {"PNet 16->32, 3x3", 3, 16, 16, 32, 187, 2},
    {"PNet heads 32->5(16), 1x1", 1, 32, 32, 16, 187, 2},
    {"RNet 3->28(32), 3x3", 3, 3, 3, 32, 22, 2},
    {"RNet 28->48, 3x3", 3, 28, 32, 48, 9, 2},
    {"RNet 48->64, 2x2", 2, 48, 48, 64, 3, 2},
    {"RNet dense 576->128", 1, 576, 576, 128, 32, 2},
    {"ONet 3->32, 3x3", 3, 3, 3, 32, 46, 2},
    {"ONet 32->64, 3x3", 3, 32, 32, 64, 21, 2},
    {"ONet 64->64, 3x3", 3, 64, 64, 64, 8, 2},
    {"ONet 64->128, 2x2", 2, 64, 64, 128, 3, 2},
    {"ONet dense 1152->256", 1, 1152, 1152, 256, 32, 2},
};

int main(int argc, char **argv)
{
    const bool bench = argc > 1 && !strcmp(argv[1], "--bench");
    const mt_kernels *list[MT_MAX_KERNELS];
    const int count = mt_kernels_all(list);
    for (int k = 0; k < count; k++) {
        uint64_t state = 31;
        float difference = 0.0f, resizing = 0.0f;
        if (bench)
            printf("%s\n", list[k]->name);
        for (size_t i = 0; i < sizeof cascade / sizeof *cascade; i++)
            difference = fmaxf(difference, check_convolve(list[k], &cascade[i], &state, bench));
        difference = fmaxf(difference, check_winograd(list[k], &state, bench));
        difference = fmaxf(difference, check_stem(list[k], &state, bench));
        for (int i = 0; i < 300; i++) {
            const int ins = 1 + (int)(test_random(&state) % 20);
            shape any = {.name = "", .ins = ins};
            any.size = test_random_int(&state, 1, 4);
            any.step = ins + test_random_int(&state, 0, 2);
            any.channels = 16 * test_random_int(&state, 1, 5);
            any.outputs = test_random_int(&state, 1, 40);
            any.panel = test_random_int(&state, 1, 2);
            difference = fmaxf(difference, check_convolve(list[k], &any, &state, false));
            check_pool(list[k], &state);
            resizing = fmaxf(resizing, check_blend(list[k], &state));
            resizing = fmaxf(resizing, check_mix(list[k], &state));
        }
        printf("%-7s largest difference of a convolution %.1e, tolerance %.0e; of resizing %.1e, "
               "tolerance %.0e\n",
               list[k]->name, (double)difference, (double)CONVOLVE_TOLERANCE, (double)resizing,
               (double)RESIZE_TOLERANCE);
    }
    return test_end();
}
