/* mtcnn_draw: where it paints, what labels may contain, and that nothing outside changes. */
#include <stdbool.h>

#include "glyphs.h"
#include "mtcnn.h"
#include "test.h"

enum { W = 61, H = 47, STRIDE = 3 * W + 5, BYTES = H * STRIDE };

static uint8_t *new_picture(void)
{
    uint8_t *pixels = test_guarded(BYTES);
    for (int y = 0; y < H; y++)
        memset(pixels + y * STRIDE, 200, 3 * W);
    return pixels;
}

/* Checks the bytes between the rows, and the guards. */
static void free_picture(uint8_t *pixels)
{
    for (int y = 0; y < H; y++)
        for (int x = 3 * W; x < STRIDE; x++)
            CHECK(pixels[y * STRIDE + x] == 0xA5);
    test_guarded_free(pixels, BYTES);
}

static bool is_color(const uint8_t *pixels, int x, int y, int red, int green, int blue)
{
    const uint8_t *pixel = pixels + y * STRIDE + 3 * x;
    return pixel[0] == red && pixel[1] == green && pixel[2] == blue;
}

static bool is_ink(const uint8_t *pixels, int x, int y)
{
    return is_color(pixels, x, y, 0, 0, 0);
}

static mtcnn_findings of_faces(mtcnn_result *result, const mtcnn_face *faces, int count)
{
    *result = (mtcnn_result){.count = count, .faces = faces};
    return (mtcnn_findings){.width = W, .height = H, .result = result};
}

static void draw(uint8_t *pixels, const mtcnn_findings *findings, const char *const *labels)
{
    mtcnn_error error;
    CHECK(mtcnn_draw(pixels, STRIDE, findings, labels, &error) == MTCNN_OK);
    CHECK(!error.message[0]);
}

static void box_and_landmarks(void)
{
    const mtcnn_face face = {{10, 15, 40, 40}, 0.5f, {18, 22, 32, 22, 25, 28, 19, 34, 31, 34}};
    mtcnn_result result;
    const mtcnn_findings findings = of_faces(&result, &face, 1);
    uint8_t *pixels = new_picture();
    draw(pixels, &findings, NULL);
    for (int x = 9; x < 41; x++)
        CHECK(is_color(pixels, x, 14, 60, 220, 70) && is_color(pixels, x, 40, 60, 220, 70));
    CHECK(is_color(pixels, 18, 22, 255, 70, 60) && is_color(pixels, 31, 34, 60, 150, 255));
    CHECK(is_color(pixels, 25, 28, 255, 210, 0) && is_color(pixels, 12, 17, 200, 200, 200));
    CHECK(is_color(pixels, 8, 20, 200, 200, 200) && is_color(pixels, 50, 30, 200, 200, 200));
    free_picture(pixels);
}

/* Each glyph of a label is on its plate, pixel by pixel; at scale 1 here. */
static void check_glyphs(const char *text, const char *glyphs)
{
    const mtcnn_face face = {{5, 25, 9, 40}, 0.5f, {0}};
    mtcnn_result result;
    const mtcnn_findings findings = of_faces(&result, &face, 1);
    uint8_t *pixels = new_picture();
    draw(pixels, &findings, &text);
    for (int i = 0; glyphs[i]; i++)
        for (int y = 0; y < MT_GLYPH_ROWS; y++)
            for (int x = 0; x < MT_GLYPH_WIDTH; x++)
                CHECK(is_ink(pixels, 5 + i * MT_GLYPH_STEP + x, 16 + y) ==
                      mt_glyph_has_ink(glyphs[i], x, y));
    free_picture(pixels);
}

static void labels(void)
{
    check_glyphs("0.97", "0.97");
    check_glyphs("Az#~ !y", "Az#~ !y");
    check_glyphs("\xc3\xa9\xe2\x82\xac\x01",
                 "\x7f\x7f\x7f"); /* two characters, and a control one */
    check_glyphs("\xa0\xbf", "");

    const mtcnn_face faces[2] = {{{5, 25, 20, 40}, 0.25f, {1}}, {{35, 25, 50, 40}, 0.75f, {0}}};
    mtcnn_result result;
    mtcnn_findings findings = of_faces(&result, faces, 2);
    const char *const given[2] = {"0.25", ""}, *const some[2] = {NULL, NULL};
    uint8_t *expected = new_picture(), *pixels = new_picture();
    draw(expected, &findings, given); /* no score without landmarks */
    draw(pixels, &findings, NULL);
    CHECK(!memcmp(pixels, expected, BYTES));
    draw(pixels, &findings, some);
    CHECK(!memcmp(pixels, expected, BYTES));

    const mtcnn_tracked_face tracked[2] = {{faces[0], 42, 0}, {faces[1], 43, 0}};
    const mtcnn_tracks tracks = {.count = 2, .faces = tracked};
    const char *const named[2] = {"#42 0.25", ""};
    draw(expected, &findings, named);
    findings.result = NULL;
    findings.tracks = &tracks;
    draw(pixels, &findings, NULL);
    CHECK(!memcmp(pixels, expected, BYTES));
    free_picture(pixels);
    free_picture(expected);
}

/* All printable characters differ, only the space is empty, and only descenders are below. */
static void glyphs(void)
{
    for (int a = ' '; a <= '~' + 1; a++) {
        int ink = 0, below = 0;
        for (int i = 0; i < MT_GLYPH_ROWS * MT_GLYPH_WIDTH; i++) {
            const bool set = mt_glyph_has_ink((char)a, i % MT_GLYPH_WIDTH, i / MT_GLYPH_WIDTH);
            ink += set;
            below += set && i >= MT_GLYPH_HEIGHT * MT_GLYPH_WIDTH;
        }
        CHECK((ink == 0) == (a == ' '));
        CHECK((below > 0) == (strchr("gjpqy", a) != NULL));
        for (int b = ' '; b < a; b++) {
            bool same = true;
            for (int i = 0; i < MT_GLYPH_ROWS * MT_GLYPH_WIDTH; i++) {
                const int x = i % MT_GLYPH_WIDTH, y = i / MT_GLYPH_WIDTH;
                same &= mt_glyph_has_ink((char)a, x, y) == mt_glyph_has_ink((char)b, x, y);
            }
            CHECK(!same);
        }
    }
}

/* For any numbers of a face, only the picture is written; sanitizers check the rest. */
static void any_numbers(void)
{
    static const float odd[] = {NAN,  INFINITY, -INFINITY, 1e30f, -1e30f, 3e9f, -3e9f,
                                0.0f, -0.0f,    1e-40f,    20,    -20,    60.5f};
    enum { ODD = sizeof odd / sizeof *odd };
    char text[1000];
    memset(text, 'W', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    const char *const long_label = text;
    uint64_t state = 3;
    for (int run = 0; run < 3000; run++) {
        mtcnn_face face;
        float *numbers[] = {&face.box[0], &face.box[1], &face.box[2], &face.box[3], &face.score};
        for (int i = 0; i < 5; i++)
            *numbers[i] = odd[test_random(&state) % ODD];
        for (int i = 0; i < 10; i++)
            face.landmarks[i] = odd[test_random(&state) % ODD];
        mtcnn_result result;
        const mtcnn_findings findings = of_faces(&result, &face, 1);
        uint8_t *pixels = new_picture();
        draw(pixels, &findings, run % 3 ? NULL : &long_label);
        free_picture(pixels);
    }
}

static void pictures_of_any_size(void)
{
    static const int sizes[][2] = {{1, 1}, {1, 90}, {90, 1}, {2, 3}, {4000, 5}};
    const mtcnn_face face = {{-5, -5, 80, 60}, 0.5f, {1, 1, 20, 1, 5, 5, 0, 0, 4000, 3}};
    for (int i = 0; i < 5; i++) {
        const int width = sizes[i][0], height = sizes[i][1];
        const size_t bytes = (size_t)3 * width * height;
        mtcnn_result result;
        mtcnn_findings findings = of_faces(&result, &face, 1);
        findings.width = width;
        findings.height = height;
        uint8_t *pixels = test_guarded(bytes), *turned = test_guarded(bytes);
        CHECK(!mtcnn_draw(pixels, (ptrdiff_t)3 * width, &findings, NULL, NULL));
        CHECK(!mtcnn_draw(turned + 3 * width * (height - 1), (ptrdiff_t)-3 * width, &findings, NULL,
                          NULL)); /* bottom-up */
        for (int y = 0; y < height; y++)
            CHECK(!memcmp(pixels + 3 * width * y, turned + 3 * width * (height - 1 - y),
                          (size_t)3 * width));
        test_guarded_free(pixels, bytes);
        test_guarded_free(turned, bytes);
    }
}

static void refuse(uint8_t *pixels, ptrdiff_t stride, const mtcnn_findings *findings,
                   const char *message)
{
    mtcnn_error error;
    CHECK(mtcnn_draw(pixels, stride, findings, NULL, &error) == MTCNN_ERROR_ARGUMENT);
    CHECK_HOLDS(error.message, message);
}

static void bad_arguments(void)
{
    const mtcnn_face face = {{1, 1, 9, 9}, 0.5f, {0}};
    const mtcnn_tracks tracks = {0};
    mtcnn_result result;
    const mtcnn_findings good = of_faces(&result, &face, 1);
    uint8_t *pixels = new_picture();
    refuse(NULL, STRIDE, &good, "no pixels");
    refuse(pixels, STRIDE, NULL, "either a result or tracks");
    refuse(pixels, 3 * W - 1, &good, "stride of 182 bytes");
    mtcnn_findings bad = good;
    bad.width = 0;
    refuse(pixels, STRIDE, &bad, "0x47 pixels");
    bad.width = MTCNN_MAX_SIDE + 1;
    refuse(pixels, STRIDE, &bad, "must be 1 to 1000000");
    bad = good;
    bad.tracks = &tracks;
    refuse(pixels, STRIDE, &bad, "either a result or tracks");
    bad.result = NULL;
    bad.stage = 1;
    refuse(pixels, STRIDE, &bad, "stage 1");
    bad = good;
    bad.stage = 4;
    refuse(pixels, STRIDE, &bad, "stage 4");
    bad.stage = -1;
    refuse(pixels, STRIDE, &bad, "stage -1");
    result.count = -1;
    refuse(pixels, STRIDE, &good, "-1 faces");
    result = (mtcnn_result){.count = 1};
    refuse(pixels, STRIDE, &good, "NULL");
    result.count = 0;
    draw(pixels, &good, NULL);
    CHECK(is_color(pixels, 1, 1, 200, 200, 200));
    free_picture(pixels);
}

int main(void)
{
    box_and_landmarks();
    labels();
    glyphs();
    any_numbers();
    pictures_of_any_size();
    bad_arguments();
    return test_end();
}
