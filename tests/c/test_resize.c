#include "resize.h"
#include "test.h"

/* Identity normalisation: output values are those of the picture. */
static const mt_normalisation plain = {0.0f, 1.0f, 50.0f, MTCNN_RGB};

/* count samples of the span [start, start + length) of an axis of size pixels. */
static mt_span span(double start, double length, int count, int size)
{
    return (mt_span){start, length / count, 0, count, size};
}

/* All rows, planar, with guards around them: to be freed with test_guarded_free. */
static float *resize(const mtcnn_image *image, mt_span x, mt_span y,
                     const mt_normalisation *normalisation)
{
    mt_resizer resizer = {0};
    const mt_kernels *kernels;
    float *output = test_guarded(3 * sizeof *output * x.count * y.count);
    REQUIRE(!mt_kernels_choose(&kernels, NULL));
    REQUIRE(mt_resize_begin(&resizer, kernels, image, x, y, normalisation));
    REQUIRE(mt_resize_planar(&resizer, output));
    CHECK(resizer.buffers[MT_RESIZER_X_WEIGHTS].bytes < 1 << 16); /* even for absurd spans */
    mt_resizer_free(&resizer);
    return output;
}

static void constant_stays_constant(void)
{
    uint8_t pixels[3 * 17 * 13];
    for (int i = 0; i < 17 * 13; i++)
        memcpy(pixels + 3 * i, (uint8_t[]){10, 20, 30}, 3);
    const mtcnn_image image = {pixels, 17, 13, 3 * 17, MTCNN_RGB};
    for (int w = 1; w < 40; w += 3) {
        for (int h = 1; h < 40; h += 4) {
            float *output = resize(&image, span(0, 17, w, 17), span(0, 13, h, 13), &plain);
            for (int i = 0; i < 3 * w * h; i++)
                CHECK(fabsf(output[i] - (float)(10 * (1 + i / (w * h)))) < 1e-4f);
            test_guarded_free(output, 3 * sizeof *output * w * h);
        }
    }
}

static void same_size_is_identity(void)
{
    uint64_t state = 3;
    uint8_t pixels[4 * 9 * 7];
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)test_random(&state);
    const struct {
        mtcnn_color color;
        int step, order[3];
    } orders[] = {
        {MTCNN_RGB, 3, {0, 1, 2}},  {MTCNN_BGR, 3, {2, 1, 0}},  {MTCNN_GRAY, 1, {0, 0, 0}},
        {MTCNN_RGBA, 4, {0, 1, 2}}, {MTCNN_BGRA, 4, {2, 1, 0}},
    };
    for (size_t k = 0; k < sizeof orders / sizeof *orders; k++) {
        const int step = orders[k].step;
        /* Bottom-up: the last row first in memory. */
        const mtcnn_image image = {pixels + 6 * 9 * step, 9, 7, -9 * step, orders[k].color};
        for (int blue_first = 0; blue_first < 2; blue_first++) {
            mt_normalisation normalisation = plain;
            normalisation.color = blue_first ? MTCNN_BGR : MTCNN_RGB;
            float *output = resize(&image, span(0, 9, 9, 9), span(0, 7, 7, 7), &normalisation);
            for (int c = 0; c < 3; c++)
                for (int y = 0; y < 7; y++)
                    for (int x = 0; x < 9; x++)
                        CHECK(output[(c * 7 + y) * 9 + x] ==
                              pixels[((6 - y) * 9 + x) * step +
                                     orders[k].order[blue_first ? 2 - c : c]]);
            test_guarded_free(output, 3 * sizeof *output * 9 * 7);
        }
    }
}

static void halving_by_hand(void)
{
    /* 8 pixels to 4: weights 1/8, 3/8, 3/8, 1/8, and 3/7, 3/7, 1/7 where one falls off the edge. */
    const uint8_t pixels[8] = {0, 80, 40, 200, 120, 16, 240, 8};
    const mtcnn_image image = {pixels, 8, 1, 8, MTCNN_GRAY};
    const float expected[4] = {
        (3 * 0 + 3 * 80 + 1 * 40) / 7.0f, (80 + 3 * 40 + 3 * 200 + 120) / 8.0f,
        (200 + 3 * 120 + 3 * 16 + 240) / 8.0f, (16 + 3 * 240 + 3 * 8) / 7.0f};
    float *output = resize(&image, span(0, 8, 4, 8), span(0, 1, 1, 1), &plain);
    CHECK(test_largest_difference(output, expected, 4) < 1e-4f);
    test_guarded_free(output, 3 * sizeof *output * 4);
}

static void outside_is_padding(void)
{
    uint8_t pixels[16];
    memset(pixels, 200, sizeof pixels);
    const mtcnn_image image = {pixels, 4, 4, 4, MTCNN_GRAY};
    const mt_normalisation normalisation = {100.0f, 0.5f, 50.0f, MTCNN_RGB};
    const size_t bytes = 3 * sizeof(float) * 64;
    /* A crop of 8x8 pixels whose middle is the picture, at its own size. */
    float *output = resize(&image, span(-2, 8, 8, 4), span(-2, 8, 8, 4), &normalisation);
    for (int i = 0; i < 3 * 64; i++) {
        const int x = i % 8, y = i / 8 % 8;
        const bool inside = x >= 2 && x < 6 && y >= 2 && y < 6;
        CHECK(fabsf(output[i] - (inside ? 50.0f : -25.0f)) < 1e-4f);
    }
    test_guarded_free(output, bytes);
    /* Completely outside, and absurdly far away. */
    const double starts[] = {4.0, -100.0, 1e9, -1e9};
    for (int k = 0; k < 4; k++) {
        for (int axis = 0; axis < 2; axis++) {
            const mt_span far = span(starts[k], 8, 8, 4), near = span(0, 4, 8, 4);
            output = resize(&image, axis ? far : near, axis ? near : far, &normalisation);
            for (int i = 0; i < 3 * 64; i++)
                CHECK(output[i] == -25.0f);
            test_guarded_free(output, bytes);
        }
    }
    /* A span far larger than the picture needs no more memory than the picture's size. */
    test_guarded_free(resize(&image, span(-5e8, 1e9, 8, 4), span(-5e8, 1e9, 8, 4), &normalisation),
                      bytes);
}

/* Weights [size] of sample i as docs/architecture.md has them, one pixel after the other. */
static bool plain_weights(mt_span span, int i, double *weights)
{
    const double support = fmax(span.step, 1.0);
    const double centre = span.start + (span.first + i + 0.5) * span.step;
    double sum = 0.0;
    for (int j = 0; j < span.size; j++) {
        weights[j] = fmax(0.0, 1.0 - fabs(j + 0.5 - centre) / support);
        sum += weights[j];
    }
    for (int j = 0; j < span.size; j++)
        weights[j] /= sum;
    return centre >= 0.0 && centre < span.size;
}

/* The definition, in double precision, of one output. */
static double plain_output(const mtcnn_image *image, mt_span x, mt_span y, int column, int row,
                           int channel)
{
    static double across[4096], down[4096];
    if (!plain_weights(x, column, across) || !plain_weights(y, row, down))
        return plain.pad;
    const int step = image->color == MTCNN_GRAY ? 1 : image->color == MTCNN_RGB ? 3 : 4;
    double sum = 0.0;
    for (int j = 0; j < y.size; j++)
        for (int i = 0; down[j] > 0.0 && i < x.size; i++)
            sum += down[j] * across[i] *
                   image->pixels[j * image->stride + i * step + (step > 1 ? channel : 0)];
    return sum;
}

/* A sample may take in the whole picture: those outside need no weights. */
static void weights_stay_few(void)
{
    enum { SIDE = 5000 };
    static uint8_t pixels[SIDE];
    mt_resizer resizer = {0};
    const mt_kernels *kernels;
    REQUIRE(!mt_kernels_choose(&kernels, NULL));
    const mt_span wide = span(-1e9, 2e9, 4096, SIDE), one = span(0, 1, 1, 1);
    const mtcnn_image row = {pixels, SIDE, 1, SIDE, MTCNN_GRAY};
    const mtcnn_image column = {pixels, 1, SIDE, 1, MTCNN_GRAY};
    REQUIRE(mt_resize_begin(&resizer, kernels, &row, wide, one, &plain));
    REQUIRE(mt_resize_begin(&resizer, kernels, &column, one, wide, &plain));
    CHECK(mt_buffers_bytes(resizer.buffers, MT_RESIZER_BUFFERS) < 1 << 18);
    mt_resizer_free(&resizer);
}

/* Steps of less than one to hundreds of rows, all kinds of pixels, parts that are partly outside
   the picture; each set of kernels. */
static void follows_the_definition(void)
{
    enum { W = 37, MAX_H = 1200 };
    static uint8_t pixels[4 * W * MAX_H];
    static const mtcnn_color colors[] = {MTCNN_GRAY, MTCNN_RGB, MTCNN_RGBA};
    uint64_t state = 11;
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)(test_random(&state) % 4 ? 255 : test_random(&state));
    const mt_kernels *list[MT_MAX_KERNELS];
    const int kernels = mt_kernels_all(list);
    float largest = 0.0f;
    for (int k = 0; k < 600; k++) {
        const mtcnn_color color = colors[k % 3];
        const int width = 1 + (int)(test_random(&state) % W);
        const int height = 1 + (int)(test_random(&state) % (k % 20 ? 90 : MAX_H));
        const int step = color == MTCNN_GRAY ? 1 : color == MTCNN_RGB ? 3 : 4;
        const mtcnn_image image = {pixels, width, height, (ptrdiff_t)width * step, color};
        const int columns = 1 + (int)(test_random(&state) % 12), rows = 1 + k % 9;
        const double right = width * (1.0 + test_random_float(&state));
        const double length = k % 4 == 3 ? exp2(1.0 + test_random(&state) % 9) * rows
                                         : height * 1.5 * (1.01 + test_random_float(&state));
        const mt_span x = span(width * test_random_float(&state) / 2, right + 0.1, columns, width);
        const mt_span y = span(height * test_random_float(&state) / 2, length, rows, height);
        mt_resizer resizer = {0};
        const size_t bytes = 3 * sizeof(float) * columns * rows;
        float *output = test_guarded(bytes);
        REQUIRE(mt_resize_begin(&resizer, list[k % kernels], &image, x, y, &plain));
        REQUIRE(mt_resize_planar(&resizer, output));
        for (int i = 0; i < 3 * columns * rows; i++) {
            const double expected = plain_output(&image, x, y, i % columns, i / columns % rows,
                                                 i / columns / rows);
            largest = fmaxf(largest, fabsf(output[i] - (float)expected));
        }
        mt_resizer_free(&resizer);
        test_guarded_free(output, bytes);
    }
    printf("largest difference from the definition %.1e\n", (double)largest);
    CHECK(largest < 5e-4f); /* of 255; up to 2,000 products in a sum */
}

/* Any part of the samples, in any order, is the same as with all of them, bit for bit. */
static void parts_equal_whole(void)
{
    uint64_t state = 5;
    enum { W = 61, H = 283, OUT_W = 33 };
    static uint8_t pixels[3 * W * H];
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)test_random(&state);
    const mtcnn_image image = {pixels, W, H, 3 * W, MTCNN_RGB};
    const mt_kernels *list[MT_MAX_KERNELS];
    const int kernels = mt_kernels_all(list);
    for (int k = 0; k < kernels; k++) {
        for (int out_h = 7; out_h < 2 * H; out_h += out_h / 2) {
            const mt_span x = span(-3.7, W, OUT_W, W), y = span(2.2, H, out_h, H);
            const size_t bytes = (3 * OUT_W + 1) * sizeof(float), all = bytes * out_h;
            float *whole = test_guarded(all), *made = test_guarded(bytes);
            mt_resizer resizer = {0};
            REQUIRE(mt_resize_begin(&resizer, list[k], &image, x, y, &plain));
            for (int row = 0; row < out_h; row++) {
                mt_resize_row(&resizer, row, made);
                memcpy(whole + (size_t)row * 3 * OUT_W, made, 3 * OUT_W * sizeof *made);
            }
            for (int i = 0; i < 60; i++) {
                const int row = (int)(test_random(&state) % out_h);
                const int left = (int)(test_random(&state) % OUT_W);
                const mt_span part_x = {x.start, x.step, left, OUT_W - left, W};
                const mt_span part_y = {y.start, y.step, row, out_h - row, H};
                REQUIRE(mt_resize_begin(&resizer, list[k], &image, part_x, part_y, &plain));
                for (int ask = 0; ask < 4; ask++) {
                    const int any = ask ? (int)(test_random(&state) % part_y.count) : 0;
                    mt_resize_row(&resizer, any, made);
                    const size_t place = (size_t)(row + any) * OUT_W + left;
                    CHECK(!memcmp(made, whole + 3 * place, 3 * sizeof *made * part_x.count));
                }
            }
            mt_resizer_free(&resizer);
            test_guarded_free(made, bytes);
            test_guarded_free(whole, all);
        }
    }
}

int main(void)
{
    constant_stays_constant();
    same_size_is_identity();
    halving_by_hand();
    outside_is_padding();
    follows_the_definition();
    parts_equal_whole();
    weights_stay_few();
    return test_end();
}
