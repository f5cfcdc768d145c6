#include "resize.h"
#include "test.h"

/* Identity normalisation: output values are those of the picture. */
static const mt_normalisation plain = {0.0f, 1.0f, 50.0f, MTCNN_RGB};

static void constant_stays_constant(void)
{
    uint8_t pixels[3 * 17 * 13];
    for (int i = 0; i < 17 * 13; i++)
        memcpy(pixels + 3 * i, (uint8_t[]){10, 20, 30}, 3);
    const mtcnn_image image = {pixels, 17, 13, 3 * 17, MTCNN_RGB};
    mt_resizer resizer = {0};
    for (int w = 1; w < 40; w += 3) {
        for (int h = 1; h < 40; h += 4) {
            const size_t bytes = 3 * (size_t)w * h * sizeof(float);
            float *output = test_guarded(bytes);
            CHECK(mt_resize(&resizer, &image, (mt_span){0, 17, w, 17}, (mt_span){0, 13, h, 13}, 0,
                            h, &plain, output));
            for (int i = 0; i < 3 * w * h; i++)
                CHECK(fabsf(output[i] - (float)(10 * (1 + i / (w * h)))) < 1e-4f);
            test_guarded_free(output, bytes);
        }
    }
    mt_resizer_free(&resizer);
}

static void same_size_is_identity(void)
{
    uint64_t state = 3;
    uint8_t pixels[4 * 9 * 7];
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)test_random(&state);
    mt_resizer resizer = {0};
    float output[3 * 9 * 7];
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
        CHECK(mt_resize(&resizer, &image, (mt_span){0, 9, 9, 9}, (mt_span){0, 7, 7, 7}, 0, 7,
                        &plain, output));
        for (int c = 0; c < 3; c++)
            for (int y = 0; y < 7; y++)
                for (int x = 0; x < 9; x++)
                    CHECK(output[(c * 7 + y) * 9 + x] ==
                          pixels[((6 - y) * 9 + x) * step + orders[k].order[c]]);
    }
    mt_resizer_free(&resizer);
}

static void halving_by_hand(void)
{
    /* 8 pixels to 4: weights 1/8, 3/8, 3/8, 1/8, and 3/7, 3/7, 1/7 where one falls off the edge. */
    const uint8_t pixels[8] = {0, 80, 40, 200, 120, 16, 240, 8};
    const mtcnn_image image = {pixels, 8, 1, 8, MTCNN_GRAY};
    const float expected[4] = {
        (3 * 0 + 3 * 80 + 1 * 40) / 7.0f, (80 + 3 * 40 + 3 * 200 + 120) / 8.0f,
        (200 + 3 * 120 + 3 * 16 + 240) / 8.0f, (16 + 3 * 240 + 3 * 8) / 7.0f};
    float output[12];
    mt_resizer resizer = {0};
    CHECK(mt_resize(&resizer, &image, (mt_span){0, 8, 4, 8}, (mt_span){0, 1, 1, 1}, 0, 1, &plain,
                    output));
    CHECK(test_largest_difference(output, expected, 4) < 1e-4f);
    mt_resizer_free(&resizer);
}

static void outside_is_padding(void)
{
    uint8_t pixels[16];
    memset(pixels, 200, sizeof pixels);
    const mtcnn_image image = {pixels, 4, 4, 4, MTCNN_GRAY};
    const mt_normalisation normalisation = {100.0f, 0.5f, 50.0f, MTCNN_RGB};
    float output[3 * 64];
    mt_resizer resizer = {0};
    /* A crop of 8x8 pixels whose middle is the picture, at its own size. */
    CHECK(mt_resize(&resizer, &image, (mt_span){-2, 8, 8, 4}, (mt_span){-2, 8, 8, 4}, 0, 8,
                    &normalisation, output));
    for (int i = 0; i < 3 * 64; i++) {
        const int x = i % 8, y = i / 8 % 8;
        const bool inside = x >= 2 && x < 6 && y >= 2 && y < 6;
        CHECK(fabsf(output[i] - (inside ? 50.0f : -25.0f)) < 1e-4f);
    }
    /* Wholly outside, and absurdly far away. */
    const double starts[] = {4.0, -100.0, 1e9, -1e9};
    for (int k = 0; k < 4; k++) {
        CHECK(mt_resize(&resizer, &image, (mt_span){starts[k], 8, 8, 4}, (mt_span){0, 4, 8, 4}, 0,
                        8, &normalisation, output));
        for (int i = 0; i < 3 * 64; i++)
            CHECK(output[i] == -25.0f);
    }
    /* A span far larger than the picture needs no more memory than the picture's size. */
    CHECK(mt_resize(&resizer, &image, (mt_span){-5e8, 1e9, 8, 4}, (mt_span){-5e8, 1e9, 8, 4}, 0, 8,
                    &normalisation, output));
    CHECK(mt_resizer_bytes(&resizer) < 1 << 16);
    mt_resizer_free(&resizer);
}

static void bands_equal_whole(void)
{
    uint64_t state = 5;
    enum { W = 61, H = 83, OUT_W = 33, OUT_H = 47 };
    static uint8_t pixels[3 * W * H];
    static float whole[3 * OUT_W * OUT_H], band[3 * OUT_W * OUT_H];
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)test_random(&state);
    const mtcnn_image image = {pixels, W, H, 3 * W, MTCNN_RGB};
    const mt_span x = {0, W, OUT_W, W}, y = {0, H, OUT_H, H};
    mt_resizer resizer = {0};
    CHECK(mt_resize(&resizer, &image, x, y, 0, OUT_H, &plain, whole));
    for (int first = 0; first < OUT_H; first += 10) {
        const int rows = OUT_H - first < 13 ? OUT_H - first : 13;
        CHECK(mt_resize(&resizer, &image, x, y, first, rows, &plain, band));
        for (int c = 0; c < 3; c++)
            CHECK(!memcmp(band + c * rows * OUT_W, whole + (c * OUT_H + first) * OUT_W,
                          (size_t)rows * OUT_W * sizeof *band));
    }
    mt_resizer_free(&resizer);
}

int main(void)
{
    constant_stays_constant();
    same_size_is_identity();
    halving_by_hand();
    outside_is_padding();
    bands_equal_whole();
    return test_end();
}
