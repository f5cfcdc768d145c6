#include "mtcnn.h"
#include "resize.h"
#include "test.h"

enum { W = 37, H = 29, SIDE = 12, BYTES = 3 * SIDE * SIDE };

static uint8_t pixels[4 * W * H];

static void fill(void)
{
    uint64_t state = 7;
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)test_random(&state);
}

/* Each crop is the resizing of the cascade, rounded, and no byte outside it is written. */
static void follows_the_resizing(void)
{
    const float boxes[][4] = {
        {0, 0, W, H},     {3.25f, 4.5f, 9.75f, 11},   {-20, -9.5f, 15, 25.5f}, {30, 20, 50, 40},
        {W, 0, W + 9, 9}, {-1e6f, -1e6f, 1e6f, 1e6f}, {5, 5, 5.5f, 5.25f},
    };
    enum { COUNT = sizeof boxes / sizeof *boxes };
    static const mtcnn_color colors[] = {MTCNN_RGB, MTCNN_BGR, MTCNN_GRAY, MTCNN_RGBA, MTCNN_BGRA};
    const int steps[] = {3, 3, 1, 4, 4};
    for (int k = 0; k < 5; k++) {
        const ptrdiff_t stride = (ptrdiff_t)W * steps[k];
        const mtcnn_image image = {pixels, W, H, stride, colors[k]};
        const mt_normalisation plain = {0.0f, 1.0f, 200.0f, MTCNN_RGB};
        mtcnn_error error;
        uint8_t *made = test_guarded(COUNT * BYTES);
        CHECK(mtcnn_crop(&image, boxes[0], COUNT, SIDE, 200, made, &error) == MTCNN_OK);
        for (int i = 0; i < COUNT; i++) {
            const float *box = boxes[i];
            const double width = (double)box[2] - box[0], height = (double)box[3] - box[1];
            mt_resizer resizer = {0};
            float row[3 * SIDE + 1];
            const mt_kernels *kernels;
            REQUIRE(!mt_kernels_choose(&kernels, &error));
            REQUIRE(mt_resize_begin(&resizer, kernels, &image,
                                    (mt_span){box[0], width / SIDE, 0, SIDE, W},
                                    (mt_span){box[1], height / SIDE, 0, SIDE, H}, &plain));
            for (int y = 0; y < SIDE; y++) {
                mt_resize_row(&resizer, y, row);
                for (int j = 0; j < 3 * SIDE; j++)
                    CHECK(made[i * BYTES + y * 3 * SIDE + j] == (int)(row[j] + 0.5f));
            }
            mt_resizer_free(&resizer);
        }
        test_guarded_free(made, COUNT * BYTES);
    }
}

static void whole_picture_is_itself(void)
{
    uint8_t made[3 * 9 * 9];
    mtcnn_error error;
    const mtcnn_image image = {pixels, W, H, 3 * W, MTCNN_RGB};
    const float box[4] = {4, 6, 13, 15};
    CHECK(mtcnn_crop(&image, box, 1, 9, 0, made, &error) == MTCNN_OK);
    for (int y = 0; y < 9; y++)
        CHECK(!memcmp(made + y * 27, pixels + ((6 + y) * W + 4) * 3, 27));
    memset(pixels, 255, sizeof pixels); /* the brightest does not overflow */
    for (int side = 1; side <= 9; side++) {
        CHECK(mtcnn_crop(&image, box, 1, side, 0, made, &error) == MTCNN_OK);
        for (int i = 0; i < 3 * side * side; i++)
            CHECK(made[i] == 255);
    }
    fill();
}

static void refuse(const float *box, size_t count, int side, int pad, uint8_t *made,
                   const char *message)
{
    mtcnn_error error;
    const mtcnn_image image = {pixels, W, H, 3 * W, MTCNN_RGB};
    CHECK(mtcnn_crop(&image, box, count, side, pad, made, &error) == MTCNN_ERROR_ARGUMENT);
    CHECK_HOLDS(error.message, message);
}

static void bad_arguments(void)
{
    uint8_t made[2 * BYTES];
    const float good[8] = {0, 0, 9, 9, 0, 0, 9, 9};
    refuse(NULL, 1, SIDE, 0, made, "NULL");
    refuse(good, 1, SIDE, 0, NULL, "NULL");
    refuse(good, 1, 0, 0, made, "crops of 0 pixels");
    refuse(good, 1, MTCNN_MAX_CROP + 1, 0, made, "must be 1 to 4096");
    refuse(good, 1, SIDE, -1, made, "padded with -1");
    refuse(good, 1, SIDE, 256, made, "padded with 256");
    const float bad[] = {NAN, INFINITY, -INFINITY, 1e9f};
    for (int i = 0; i < 4; i++) {
        for (int k = 0; k < 4; k++) {
            float boxes[8];
            memcpy(boxes, good, sizeof boxes);
            boxes[4 + i] = bad[k];
            if (k < 3 || i < 2) /* a corner far to the right is fine */
                refuse(boxes, 2, SIDE, 0, made, "box 1 (");
        }
    }
    mtcnn_error error;
    const mtcnn_image none = {NULL, W, H, 3 * W, MTCNN_RGB};
    CHECK(mtcnn_crop(&none, good, 1, SIDE, 0, made, &error) == MTCNN_ERROR_ARGUMENT);
    CHECK(mtcnn_crop(NULL, good, 1, SIDE, 0, made, NULL) == MTCNN_ERROR_ARGUMENT);
    const mtcnn_image image = {pixels, W, H, 3 * W, MTCNN_RGB};
    CHECK(mtcnn_crop(&image, NULL, 0, SIDE, 0, NULL, &error) == MTCNN_OK);
}

/* Any finite box: of a picture of 20s in a padding of 90 comes nothing else. */
static void any_finite_box(void)
{
    static const float ends[] = {-3e38f, -1e30f, -2147483648.f, -1e6f, -1,   -1e-45f, 0,     1e-45f,
                                 1e-30f, 0.5f,   36.999f,       37,    1e5f, 5e9f,    1e30f, 3e38f};
    enum { ENDS = sizeof ends / sizeof *ends };
    memset(pixels, 20, sizeof pixels);
    const mtcnn_image image = {pixels, W, H, 3 * W, MTCNN_RGB};
    for (int i = 0; i < ENDS; i++) {
        for (int j = i + 1; j < ENDS; j++) {
            for (int k = 0; k + 1 < ENDS; k++) {
                const float box[4] = {ends[i], ends[k], ends[j], ends[k + 1]};
                uint8_t *made = test_guarded(BYTES);
                mtcnn_error error;
                CHECK(mtcnn_crop(&image, box, 1, SIDE, 90, made, &error) == MTCNN_OK);
                const bool outside = ends[j] <= 0 || ends[i] >= W || ends[k + 1] <= 0 ||
                                     ends[k] >= H;
                int good = 0;
                for (int b = 0; b < BYTES; b++)
                    good += made[b] == 90 || (made[b] == 20 && !outside);
                CHECK(good == BYTES);
                test_guarded_free(made, BYTES);
            }
        }
    }
    fill();
}

int main(void)
{
    fill();
    follows_the_resizing();
    whole_picture_is_itself();
    bad_arguments();
    any_finite_box();
    return test_end();
}
