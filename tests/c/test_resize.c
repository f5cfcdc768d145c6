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
    float *output = test_guarded(3 * sizeof *output * x.count * y.count);
    REQUIRE(mt_resize_begin(&resizer, mt_kernels_get(), image, x, y, normalisation));
    REQUIRE(mt_resize_planar(&resizer, output));
    CHECK(resizer.x_weights.bytes < 1 << 16); /* even for absurd spans */
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
    /* Wholly outside, and absurdly far away. */
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

/* Any part of the samples comes the same, but for rounding, as with all of them. */
static void parts_equal_whole(void)
{
    uint64_t state = 5;
    enum { W = 61, H = 83, OUT_W = 33, OUT_H = 47 };
    static uint8_t pixels[3 * W * H];
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)test_random(&state);
    const mtcnn_image image = {pixels, W, H, 3 * W, MTCNN_RGB};
    const mt_span x = span(-3.7, W, OUT_W, W), y = span(2.2, H, OUT_H, H);
    float *whole = resize(&image, x, y, &plain);
    mt_resizer resizer = {0};
    for (int i = 0; i < 200; i++) {
        const int row = (int)(test_random(&state) % OUT_H);
        const size_t bytes = (3 * OUT_W + 1) * sizeof(float);
        float *made = test_guarded(bytes);
        /* A part of the samples: from (left, row) on. */
        const int left = (int)(test_random(&state) % OUT_W);
        const mt_span part_x = {x.start, x.step, left, OUT_W - left, W};
        const mt_span part_y = {y.start, y.step, row, OUT_H - row, H};
        REQUIRE(mt_resize_begin(&resizer, mt_kernels_get(), &image, part_x, part_y, &plain));
        mt_resize_row(&resizer, 0, made);
        for (int k = 0; k < 3 * (OUT_W - left); k++)
            CHECK(fabsf(made[k] - whole[((size_t)(k % 3) * OUT_H + row) * OUT_W + left + k / 3]) <
                  1e-4f);
        test_guarded_free(made, bytes);
    }
    mt_resizer_free(&resizer);
    test_guarded_free(whole, 3 * sizeof *whole * OUT_W * OUT_H);
}

int main(void)
{
    constant_stays_constant();
    same_size_is_identity();
    halving_by_hand();
    outside_is_padding();
    parts_equal_whole();
    return test_end();
}
