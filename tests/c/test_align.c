#include <stdbool.h>

#include "mtcnn.h"
#include "test.h"

enum { W = 300, H = 260 };

static uint8_t pixels[3 * W * H];
static const mtcnn_image image = {pixels, W, H, 3 * W, MTCNN_RGB};

/* ArcFace's points as in mtcnn.h: indices of pixels. */
static const double arcface[5][2] = {{38.2946, 51.6963},
                                     {73.5318, 51.5014},
                                     {56.0252, 71.7366},
                                     {41.5493, 92.3655},
                                     {70.7299, 92.2041}};

/* Positions of the crop's pixel centres: x = a * u - b * v + x0, y = b * u + a * v + y0. */
typedef struct similarity {
    double a, b, x0, y0;
} similarity;

static similarity turned(double scale, double degrees, double x0, double y0)
{
    const double angle = degrees * 3.14159265358979323846 / 180;
    return (similarity){scale * cos(angle), scale * sin(angle), x0, y0};
}

static double x_of(similarity s, double u, double v)
{
    return s.a * u - s.b * v + s.x0;
}

static double y_of(similarity s, double u, double v)
{
    return s.b * u + s.a * v + s.y0;
}

/* The landmarks that a crop of side pixels maps exactly to the points. */
static void make_landmarks(similarity s, int side, float landmarks[10])
{
    for (int i = 0; i < 5; i++) {
        const double u = (arcface[i][0] + 0.5) * side / 112, v = (arcface[i][1] + 0.5) * side / 112;
        landmarks[2 * i] = (float)x_of(s, u, v);
        landmarks[2 * i + 1] = (float)y_of(s, u, v);
    }
}

static void fill_noise(void)
{
    uint64_t state = 7;
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)test_random(&state);
}

static uint8_t *align(const float *landmarks, size_t count, int side, int pad)
{
    mtcnn_error error;
    uint8_t *made = test_guarded(3 * count * side * side);
    CHECK(mtcnn_align(&image, landmarks, count, side, pad, made, &error) == MTCNN_OK);
    return made;
}

static int largest_difference(const uint8_t *a, const uint8_t *b, size_t count)
{
    int largest = 0;
    for (size_t i = 0; i < count; i++)
        largest = abs(a[i] - b[i]) > largest ? abs(a[i] - b[i]) : largest;
    return largest;
}

/* Landmarks on the points: the crop is a part of the picture; quarter turns only move pixels. */
static void right_angles_move_pixels(void)
{
    enum { SIDE = 112, BYTES = 3 * SIDE * SIDE };
    const similarity upright = {1, 0, 40, 30}, quarter = turned(1, 90, 190, 25);
    float landmarks[20];
    make_landmarks(upright, SIDE, landmarks);
    make_landmarks(quarter, SIDE, landmarks + 10);
    uint8_t *made = align(landmarks, 2, SIDE, 0);
    uint8_t expected[BYTES];
    for (int k = 0; k < 2; k++) {
        for (int i = 0; i < SIDE; i++)
            for (int j = 0; j < SIDE; j++)
                memcpy(expected + 3 * (SIDE * i + j),
                       pixels + 3 * (k ? W * (25 + j) + 189 - i : W * (30 + i) + 40 + j), 3);
        CHECK(largest_difference(made + (size_t)k * BYTES, expected, BYTES) == 0);
    }
    test_guarded_free(made, 2 * (size_t)BYTES);
}

/* Upright faces no larger than the crop: the pixels of mtcnn_crop. */
static void upright_is_the_plain_crop(void)
{
    static const int sides[] = {1, 7, 64, 112, 200};
    for (int i = 0; i < 5; i++) {
        for (double length = 20; length <= sides[i]; length *= 1.3) {
            const int side = sides[i];
            float landmarks[10];
            make_landmarks((similarity){length / side, 0, 21.3, 9.7}, side, landmarks);
            const float box[4] = {21.3f, 9.7f, (float)(21.3 + length), (float)(9.7 + length)};
            const size_t bytes = (size_t)3 * side * side;
            uint8_t *made = align(landmarks, 1, side, 0), *expected = test_guarded(bytes);
            mtcnn_error error;
            CHECK(mtcnn_crop(&image, box, 1, side, 0, expected, &error) == MTCNN_OK);
            CHECK(largest_difference(made, expected, bytes) <= 1);
            test_guarded_free(made, bytes);
            test_guarded_free(expected, bytes);
        }
    }
}

static double pixel_or(int x, int y, int c, double pad)
{
    return x >= 0 && y >= 0 && x < W && y < H ? pixels[3 * (W * y + x) + c] : pad;
}

/* Faces no larger than the crop, at any angle, also outside the picture: plain bilinear. */
static void small_faces_are_bilinear(void)
{
    enum { SIDE = 50 };
    const similarity all[] = {turned(1, 30, 80, 60),     turned(0.4, -75, 100, 150),
                              turned(0.9, 170, 30, 40),  turned(0.99, 45, 280, 230),
                              turned(0.7, -120, 10, 10), turned(1, 10, -900, 40)};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
        float landmarks[10];
        make_landmarks(all[k], SIDE, landmarks);
        uint8_t *made = align(landmarks, 1, SIDE, 99);
        double largest = 0;
        for (int i = 0; i < SIDE; i++) {
            for (int j = 0; j < SIDE; j++) {
                const double x = x_of(all[k], j + 0.5, i + 0.5) - 0.5;
                const double y = y_of(all[k], j + 0.5, i + 0.5) - 0.5;
                const int left = (int)floor(x), top = (int)floor(y);
                const double p = x - left, q = y - top;
                for (int c = 0; c < 3; c++) {
                    const double value = (1 - q) * ((1 - p) * pixel_or(left, top, c, 99) +
                                                    p * pixel_or(left + 1, top, c, 99)) +
                                         q * ((1 - p) * pixel_or(left, top + 1, c, 99) +
                                              p * pixel_or(left + 1, top + 1, c, 99));
                    largest = fmax(largest, fabs(value - made[3 * (SIDE * i + j) + c]));
                }
            }
        }
        CHECK(largest < 0.6); /* half for rounding, and what the float32 landmarks move */
        test_guarded_free(made, 3 * SIDE * SIDE);
    }
}

/*
 * A crop of a gradient shows where its pixels come from: value * W / 255 (or H) is the position.
 * Half a level is lost here, and as much in the crop.
 */
static void fill_slope(void)
{
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            uint8_t *pixel = pixels + 3 * (W * y + x);
            pixel[0] = (uint8_t)((x + 0.5) * 255 / W + 0.5);
            pixel[1] = (uint8_t)((y + 0.5) * 255 / H + 0.5);
            pixel[2] = 0;
        }
}

/* Solves the n equations rows[n][n + 1] by elimination, with pivots. */
static void solve(double (*rows)[5], int n, double *values)
{
    for (int i = 0; i < n; i++) {
        int best = i;
        for (int j = i + 1; j < n; j++)
            best = fabs(rows[j][i]) > fabs(rows[best][i]) ? j : best;
        for (int k = 0; k <= n; k++) {
            const double swap = rows[i][k];
            rows[i][k] = rows[best][k];
            rows[best][k] = swap;
        }
        for (int j = 0; j < n; j++)
            for (int k = n; j != i && k >= i; k--)
                rows[j][k] -= rows[j][i] / rows[i][i] * rows[i][k];
    }
    for (int i = 0; i < n; i++)
        values[i] = rows[i][n] / rows[i][i];
}

/* Landmarks that no similarity maps to the points: least squares, by the normal equations. */
static void the_fit_is_least_squares(void)
{
    enum { SIDE = 96 };
    uint64_t state = 3;
    for (int round = 0; round < 20; round++) {
        const double scale = 1.4 + 0.9 * test_random_float(&state);
        const similarity near = turned(scale, 40 * test_random_float(&state), 100, 80);
        float landmarks[10];
        make_landmarks(near, SIDE, landmarks);
        for (int i = 0; i < 10; i++)
            landmarks[i] += 6 * test_random_float(&state);

        /* u = p x - q y + r, v = q x + p y + s, for the unknown p, q, r, s. */
        double rows[4][5] = {0};
        for (int i = 0; i < 10; i++) {
            const double x = landmarks[i / 2 * 2], y = landmarks[i / 2 * 2 + 1];
            const double equation[5] = {i % 2 ? y : x, i % 2 ? x : -y, i % 2 == 0, i % 2 == 1,
                                        (arcface[i / 2][i % 2] + 0.5) * SIDE / 112};
            for (int j = 0; j < 4; j++)
                for (int k = 0; k < 5; k++)
                    rows[j][k] += equation[j] * equation[k];
        }
        double found[4];
        solve(rows, 4, found);
        const double p = found[0], q = found[1], norm = p * p + q * q;

        uint8_t *made = align(landmarks, 1, SIDE, 0);
        double largest = 0;
        for (int i = 20; i < SIDE; i += 17) {
            for (int j = 20; j < SIDE; j += 17) {
                const double u = j + 0.5 - found[2], v = i + 0.5 - found[3];
                const double x = (p * u + q * v) / norm, y = (p * v - q * u) / norm;
                const uint8_t *pixel = made + 3 * (SIDE * i + j);
                if (x < 5 || y < 5 || x > W - 5 || y > H - 5)
                    continue;
                largest = fmax(largest, fabs(pixel[0] * W / 255.0 - x));
                largest = fmax(largest, fabs(pixel[1] * H / 255.0 - y));
            }
        }
        CHECK(largest < 1.2); /* W / 255, a level, is 1.18 pixels */
        test_guarded_free(made, 3 * SIDE * SIDE);
    }
}

/* Stripes of one pixel, rotated and shrunk strongly, are grey. */
static void shrinking_is_antialiased(void)
{
    enum { SIDE = 30 };
    for (int i = 0; i < 3 * W * H; i++)
        pixels[i] = i / 3 % W % 2 ? 255 : 0;
    for (int degrees = 0; degrees < 360; degrees += 25) {
        float landmarks[10];
        make_landmarks(turned(3.7, degrees,
                              150 - 3.7 * 21 * cos(degrees * 0.0174532925 + 0.7853981),
                              130 - 3.7 * 21 * sin(degrees * 0.0174532925 + 0.7853981)),
                       SIDE, landmarks);
        uint8_t *made = align(landmarks, 1, SIDE, 128);
        int low = 255, high = 0;
        for (int i = 0; i < 3 * SIDE * SIDE; i++) {
            low = made[i] < low ? made[i] : low;
            high = made[i] > high ? made[i] : high;
        }
        CHECK(low >= 112 && high <= 144); /* plain bilinear: 0 and 255 */
        test_guarded_free(made, 3 * SIDE * SIDE);
    }
}

static void refuse(const float *landmarks, size_t count, int side, int pad, uint8_t *made,
                   const char *message)
{
    mtcnn_error error;
    CHECK(mtcnn_align(&image, landmarks, count, side, pad, made, &error) == MTCNN_ERROR_ARGUMENT);
    CHECK_HOLDS(error.message, message);
}

static void bad_arguments(void)
{
    uint8_t made[2 * 3 * 12 * 12];
    float good[20];
    make_landmarks(turned(3, 5, 20, 20), 12, good);
    memcpy(good + 10, good, 10 * sizeof *good);
    refuse(NULL, 1, 12, 0, made, "NULL");
    refuse(good, 1, 12, 0, NULL, "NULL");
    refuse(good, 1, 0, 0, made, "the side must be 1 to 4096");
    refuse(good, 1, MTCNN_MAX_CROP + 1, 0, made, "the side must be 1 to 4096");
    refuse(good, 1, 12, 256, made, "padded with 256");
    mtcnn_error error;
    CHECK(mtcnn_align(NULL, good, 1, 12, 0, made, &error) == MTCNN_ERROR_ARGUMENT);
    CHECK(mtcnn_align(&image, NULL, 0, 12, 0, NULL, &error) == MTCNN_OK);

    const float values[] = {NAN, INFINITY, -INFINITY};
    for (int i = 0; i < 10; i++) {
        for (int k = 0; k < 3; k++) {
            float bad[20];
            memcpy(bad, good, sizeof bad);
            bad[10 + i] = values[k];
            refuse(bad, 2, 12, 0, made, "face 1 ");
        }
    }
    float point[10], mirrored[10];
    for (int i = 0; i < 10; i++) {
        point[i] = i % 2 ? 7.1f : 30.3f;
        mirrored[i] = (float)((i % 2 ? 1 : -1) * (good[i] - 30));
    }
    refuse(point, 1, 12, 0, made, "face 0 are not finite, all one point");
    CHECK(mtcnn_align(&image, mirrored, 1, 12, 0, made, &error) ==
          MTCNN_OK); /* still most similar to one */

    /* Huge and far away: only padding, quickly. */
    float far[10];
    for (int i = 0; i < 10; i++)
        far[i] = good[i] * 1e30f;
    CHECK(mtcnn_align(&image, far, 1, 12, 55, made, &error) == MTCNN_OK);
    for (int i = 0; i < 3 * 12 * 12; i++)
        CHECK(made[i] == 55);
}

/*
 * Landmarks of any finite size, at any finite place: of a picture of 20s in a padding of 90 comes
 * nothing else, and where the face is far away, nothing but padding.
 */
static void any_finite_landmarks(void)
{
    enum { SIDE = 40, BYTES = 3 * SIDE * SIDE };
    static const float sizes[] = {1e-45f, 1e-38f, 1e-6f, 1,     40,   1e4f,
                                  1e6f,   2e9f,   1e19f, 1e30f, 2e36f};
    static const float places[] = {0,    -0.0f, 1e-40f, 150,  -1e5f, 1e6f, -2147483648.f,
                                   5e9f, 1e19f, -1e30f, 3e38f};
    enum { SIZES = sizeof sizes / sizeof *sizes, PLACES = sizeof places / sizeof *places };
    memset(pixels, 20, sizeof pixels);
    for (int k = 0; k < SIZES * PLACES * PLACES; k++) {
        const float size = sizes[k % SIZES], x = places[k / SIZES % PLACES],
                    y = places[k / SIZES / PLACES];
        float landmarks[10];
        for (int i = 0; i < 10; i++)
            landmarks[i] = (float)(arcface[i / 2][i % 2] * size / 112) + (i % 2 ? y : x);
        uint8_t *made = test_guarded(BYTES);
        mtcnn_error error;
        const int status = mtcnn_align(&image, landmarks, 1, SIDE, 90, made, &error);
        CHECK(status == MTCNN_OK || status == MTCNN_ERROR_ARGUMENT);
        const bool far = fabsf(x) > 2 * size + 1e4f || fabsf(y) > 2 * size + 1e4f;
        int good = 0;
        for (int i = 0; i < BYTES; i++)
            good += far ? made[i] == 90 : made[i] >= 20 && made[i] <= 90;
        CHECK(status || good == BYTES);
        test_guarded_free(made, BYTES);
    }
}

/* A step is lost in the rounding of so large a y; x alone reaches the picture. */
static void far_landmarks_give_padding(void)
{
    static const float landmarks[][10] = {
        {-4504.30908f, 1.93303698e37f, -8598.32422f, 1.93303698e37f, -6562.50293f, 1.93303698e37f,
         -4876.72559f, 1.93303698e37f, -8271.27832f, 1.93303698e37f},
        {-2.25968739e38f, 67.3180466f, -2.25968739e38f, 67.3269501f, -2.25968739e38f, 67.2480469f,
         -2.25968739e38f, 67.1671829f, -2.25968739e38f, 67.6328583f},
    };
    for (size_t k = 0; k < sizeof landmarks / sizeof *landmarks; k++) {
        for (int side = 1; side < 50; side += 12) {
            uint8_t *made = align(landmarks[k], 1, side, 77);
            for (int i = 0; i < 3 * side * side; i++)
                CHECK(made[i] == 77);
            test_guarded_free(made, (size_t)3 * side * side);
        }
    }
}

int main(void)
{
    fill_noise();
    right_angles_move_pixels();
    upright_is_the_plain_crop();
    small_faces_are_bilinear();
    bad_arguments();
    far_landmarks_give_padding();
    any_finite_landmarks();
    shrinking_is_antialiased();
    fill_slope();
    the_fit_is_least_squares();
    return test_end();
}
