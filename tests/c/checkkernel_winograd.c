/* The transforms of Winograd's method, and whole convolutions by it against plain sums. */
#include "checkkernel.h"
#include "winograd.h"

static void check_tiles_in(const mt_kernels *kernels, uint64_t *state)
{
    const int tiles = 1 + (int)(test_random(state) % 5),
              step = 16 * (1 + (int)(test_random(state) % 3));
    const size_t row = (size_t)(4 * tiles + 2) * step + 3, point = (size_t)tiles * step + 5;
    const size_t in = 6 * row, out = 36 * point;
    float *input = test_guarded(in * 4), *plain = test_guarded(out * 4),
          *fast = test_guarded(out * 4);
    test_fill(input, in, state);
    memset(plain, 0, out * 4);
    memset(fast, 0, out * 4);
    mt_tiles_in work = {
        .tiles = tiles, .step = step, .values_step = (ptrdiff_t)point, .values = plain};
    for (int r = 0; r < 6; r++)
        work.rows[r] = input + r * row;
    mt_kernels_c.tiles_in(&work);
    work.values = fast;
    kernels->tiles_in(&work);
    CHECK(test_largest_difference(plain, fast, out) <= 1e-5f);
    test_guarded_free(input, in * 4);
    test_guarded_free(plain, out * 4);
    test_guarded_free(fast, out * 4);
}

static void check_tiles_out(const mt_kernels *kernels, uint64_t *state)
{
    const int tiles = 1 + (int)(test_random(state) % 5), panels = 1 + (int)(test_random(state) % 2);
    const int channels = 16 * panels, step = channels + 16 * (int)(test_random(state) % 2);
    const size_t point = (size_t)tiles * channels + 3, row = (size_t)4 * tiles * step + 1;
    const size_t in = 36 * point, out = 4 * row;
    float *products = test_guarded(in * 4), *biases = test_guarded((size_t)channels * 4);
    float *slopes = test_guarded((size_t)channels * 4);
    float *plain = test_guarded(out * 4), *fast = test_guarded(out * 4);
    test_fill(products, in, state);
    test_fill(biases, (size_t)channels, state);
    test_fill(slopes, (size_t)channels, state);
    memset(plain, 0, out * 4); /* gaps stay */
    memset(fast, 0, out * 4);
    mt_tiles_out work = {.products = products,
                         .products_step = (ptrdiff_t)point,
                         .tiles = tiles,
                         .biases = biases,
                         .slopes = slopes,
                         .step = step};
    for (int i = 0; i < 2; i++) {
        const mt_kernels *set = i ? kernels : &mt_kernels_c;
        work.vectors = channels / set->vector;
        for (int r = 0; r < 4; r++)
            work.rows[r] = (i ? fast : plain) + r * row;
        set->tiles_out(&work);
    }
    CHECK(test_largest_difference(plain, fast, out) <= 1e-4f); /* values up to 36 * 1.5^6 */
    test_guarded_free(products, in * 4);
    test_guarded_free(biases, (size_t)channels * 4);
    test_guarded_free(slopes, (size_t)channels * 4);
    test_guarded_free(plain, out * 4);
    test_guarded_free(fast, out * 4);
}

/* A convolution of a whole picture. */
typedef struct shape {
    const char *name;
    int ins, outs;
    int height, width; /* of the output */
} shape;

/* Weights [outs][ins][3][3] as a step takes them; winograd: as points. */
static mt_step make_step(const mt_kernels *kernels, const shape *shape, const float *weights,
                         const float *biases, const float *slopes, bool winograd)
{
    const int vector = kernels->vector;
    mt_step step = {.kind = winograd ? MT_WINOGRAD : MT_CONVOLVE,
                    .size = 3,
                    .stride = 1,
                    .in_channels = shape->ins,
                    .in_step = (shape->ins + 15) / 16 * 16,
                    .out_channels = shape->outs,
                    .out_step = (shape->outs + 15) / 16 * 16};
    step.panel = step.out_step / vector % 2 ? 1 : 2;
    const int width = step.panel * vector, points = winograd ? MT_POINTS : 9;
    const size_t next = (size_t)shape->ins * width;
    step.weights = calloc((size_t)points * shape->ins * step.out_step, 4);
    step.biases = calloc((size_t)step.out_step, 4);
    step.slopes = calloc((size_t)step.out_step, 4);
    REQUIRE(step.weights && step.biases && step.slopes);
    memcpy(step.biases, biases, (size_t)shape->outs * 4);
    memcpy(step.slopes, slopes, (size_t)shape->outs * 4);
    for (int o = 0; o < shape->outs; o++) {
        for (int i = 0; i < shape->ins; i++) {
            const float *filter = weights + 9 * ((size_t)o * shape->ins + i);
            float *to = step.weights + o / width * points * next + (size_t)i * width + o % width;
            if (winograd)
                mt_winograd_filter(filter, to, next);
            for (int k = 0; k < 9 && !winograd; k++)
                to[k * next] = filter[k];
        }
    }
    return step;
}

static void free_step(mt_step *step)
{
    free(step->weights);
    free(step->biases);
    free(step->slopes);
}

/* The convolution by Winograd's method; row strides of input and output in floats. */
static void convolve(const mt_kernels *kernels, const shape *shape, const mt_step *step,
                     float *input, size_t in_row, float *output, size_t out_row, mt_buffer *scratch)
{
    mt_winograd winograd;
    REQUIRE(mt_winograd_reserve(scratch, kernels, step));
    mt_winograd_begin(&winograd, kernels, step, scratch);
    for (int y = 0; y < shape->height; y += MT_TILE) {
        mt_tile_row tiles;
        for (int r = 0; r < MT_WINDOW; r++) {
            const int row = y + r < shape->height + 2 ? y + r : shape->height + 1;
            tiles.rows[r] = input + row * in_row;
        }
        for (int r = 0; r < MT_TILE; r++)
            tiles.outputs[r] = output + (y + r) * out_row;
        mt_tile_row_begin(&tiles, step, shape->width);
        mt_winograd_add(&winograd, &tiles);
    }
    mt_winograd_end(&winograd);
}

static float check_convolution(const mt_kernels *kernels, const shape *shape, uint64_t *state,
                               bool bench)
{
    const size_t weight_count = (size_t)shape->outs * shape->ins * 9;
    float *weights = test_guarded(weight_count * 4),
          *biases = test_guarded((size_t)shape->outs * 4);
    float *slopes = test_guarded((size_t)shape->outs * 4);
    test_fill(weights, weight_count, state);
    test_fill(biases, (size_t)shape->outs, state);
    test_fill(slopes, (size_t)shape->outs, state);
    mt_step direct = make_step(&mt_kernels_c, shape, weights, biases, slopes, false);
    mt_step step = make_step(kernels, shape, weights, biases, slopes, true);

    /* Room for tiles that extend 3 beyond; its contents must not matter. */
    const size_t in_row = (size_t)(shape->width + 2 + 3) * step.in_step;
    const size_t out_row = (size_t)(shape->width + 3) * step.out_step;
    const size_t in = in_row * (shape->height + 2), out = out_row * (shape->height + 3);
    float *input = test_guarded(in * 4), *plain = test_guarded(out * 4),
          *fast = test_guarded(out * 4);
    test_fill(input, in, state);

    const mt_packed packed = {.kernels = &mt_kernels_c};
    for (int y = 0; y < shape->height; y++) {
        const float *rows[3];
        for (int r = 0; r < 3; r++)
            rows[r] = input + (y + r) * in_row;
        mt_step_convolve(&packed, &direct, rows, step.in_step, shape->width, plain + y * out_row,
                         step.out_step);
    }
    mt_buffer scratch = {0};
    double best = INFINITY;
    for (int repeat = 0; repeat < (bench ? 50 : 1); repeat++) {
        const double start = check_seconds();
        convolve(kernels, shape, &step, input, in_row, fast, out_row, &scratch);
        best = fmin(best, check_seconds() - start);
    }
    float difference = 0.0f;
    for (int y = 0; y < shape->height; y++)
        difference = fmaxf(difference,
                           test_largest_difference(plain + y * out_row, fast + y * out_row,
                                                   (size_t)shape->width * step.out_step));
    if (bench)
        printf("  %-24s %7.1f GFLOP/s of a plain sum\n", shape->name,
               18e-9 * shape->height * shape->width * shape->ins * shape->outs / best);
    mt_release(&scratch);
    free_step(&direct);
    free_step(&step);
    test_guarded_free(weights, weight_count * 4);
    test_guarded_free(biases, (size_t)shape->outs * 4);
    test_guarded_free(slopes, (size_t)shape->outs * 4);
    test_guarded_free(input, in * 4);
    test_guarded_free(plain, out * 4);
    test_guarded_free(fast, out * 4);
    return difference / sqrtf(9.0f * (float)shape->ins);
}

static const shape cascade[] = {
    {"PNet 10->16, Winograd", 10, 16, 66, 188}, {"PNet 16->32, Winograd", 16, 32, 64, 186},
    {"RNet 28->48, Winograd", 28, 48, 9, 9},    {"ONet 32->64, Winograd", 32, 64, 21, 21},
    {"ONet 64->64, Winograd", 64, 64, 8, 8},
};

float check_winograd(const mt_kernels *kernels, uint64_t *state, bool bench)
{
    float difference = 0.0f;
    for (size_t i = 0; i < sizeof cascade / sizeof *cascade; i++)
        difference = fmaxf(difference, check_convolution(kernels, &cascade[i], state, bench));
    for (int i = 0; i < 60; i++) {
        shape any = {.name = ""};
        any.ins = test_random_int(state, 1, 40);
        any.outs = test_random_int(state, 1, 40);
        any.height = test_random_int(state, 1, 10);
        any.width = test_random_int(state, 1, 60);
        difference = fmaxf(difference, check_convolution(kernels, &any, state, false));
        check_tiles_in(kernels, state);
        check_tiles_out(kernels, state);
    }
    return difference;
}
