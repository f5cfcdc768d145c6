/* What was found, painted into a picture: a public function. */
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>

#include "decimal.h"
#include "error.h"
#include "found.h"
#include "glyphs.h"
#include "image.h"

#define LINE_DIVISOR 400 /* a line is as wide as the picture's mean side divided by this */
#define MAX_LABEL 256    /* characters that are written, so that positions fit an int */

typedef struct mt_canvas {
    uint8_t *pixels;
    ptrdiff_t stride;
    int width, height;
    int line; /* width of lines, pixels */
} mt_canvas;

typedef struct mt_rgb {
    uint8_t red, green, blue;
} mt_rgb;

static const mt_rgb box_color = {60, 220, 70};
static const mt_rgb text_color = {0, 0, 0};
/* Of the left eye, right eye, nose, left and right mouth corner. */
static const mt_rgb landmark_colors[5] = {
    {255, 70, 60}, {60, 150, 255}, {255, 210, 0}, {255, 70, 60}, {60, 150, 255}};

/* The nearest pixel border. Far outside, and NaN, is at twice the largest side outside. */
static int to_pixel(float position)
{
    const float limit = 2.0f * MTCNN_MAX_SIDE;
    return (int)lrintf(fminf(fmaxf(position, -limit), limit));
}

/* low wins where there is no room between. */
static int clamp(int value, int low, int high)
{
    return value < low || high < low ? low : value > high ? high : value;
}

/* Fills x1 <= x < x2, y1 <= y < y2 as far as it lies in the picture. */
static void fill(const mt_canvas *canvas, int x1, int y1, int x2, int y2, mt_rgb color)
{
    x1 = clamp(x1, 0, canvas->width);
    x2 = clamp(x2, 0, canvas->width);
    y1 = clamp(y1, 0, canvas->height);
    y2 = clamp(y2, 0, canvas->height);
    for (int y = y1; y < y2; y++) {
        uint8_t *pixel = canvas->pixels + y * canvas->stride + (ptrdiff_t)3 * x1;
        for (int x = x1; x < x2; x++, pixel += 3) {
            pixel[0] = color.red;
            pixel[1] = color.green;
            pixel[2] = color.blue;
        }
    }
}

/* The outline, its middle on the box's border. */
static void draw_box(const mt_canvas *canvas, const float box[4])
{
    const int line = canvas->line;
    const int x1 = to_pixel(box[0]) - line / 2, y1 = to_pixel(box[1]) - line / 2;
    const int x2 = to_pixel(box[2]) - line / 2 + line, y2 = to_pixel(box[3]) - line / 2 + line;
    fill(canvas, x1, y1, x2, y1 + line, box_color);
    fill(canvas, x1, y2 - line, x2, y2, box_color);
    fill(canvas, x1, y1, x1 + line, y2, box_color);
    fill(canvas, x2 - line, y1, x2, y2, box_color);
}

/* A disc of the given diameter, pixels, by its rows. */
static void draw_dot(const mt_canvas *canvas, float x, float y, int diameter, mt_rgb color)
{
    const float radius = 0.5f * (float)diameter;
    const int top = to_pixel(y - radius);
    for (int row = 0; row < diameter; row++) {
        const float height = (float)row + 0.5f - radius;
        const float half = sqrtf(radius * radius - height * height);
        fill(canvas, to_pixel(x - half), top + row, to_pixel(x + half), top + row + 1, color);
    }
}

static void draw_landmarks(const mt_canvas *canvas, const mtcnn_face *face)
{
    const int nearly = to_pixel(0.06f * (face->box[2] - face->box[0]));
    const int diameter = clamp(nearly, 2, 3 * canvas->line);
    for (int i = 0; i < 5; i++) {
        const float x = face->landmarks[2 * i], y = face->landmarks[2 * i + 1];
        draw_dot(canvas, x, y, diameter + 2, text_color); /* a rim: red on lips is not seen */
        draw_dot(canvas, x, y, diameter, landmark_colors[i]);
    }
}

static void draw_glyph(const mt_canvas *canvas, char character, int left, int top, int scale)
{
    for (int row = 0; row < MT_GLYPH_ROWS; row++)
        for (int column = 0; column < MT_GLYPH_WIDTH; column++)
            if (mt_glyph_has_ink(character, column, row))
                fill(canvas, left + scale * column, top + scale * row, left + scale * (column + 1),
                     top + scale * (row + 1), text_color);
}

/* Whether a byte begins a character: in UTF-8, further bytes of one are 10xxxxxx. */
static bool begins_character(char byte)
{
    return ((unsigned char)byte & 0xc0) != 0x80;
}

/* The label on a plate above the box, or within it where the picture ends above. */
static void draw_label(const mt_canvas *canvas, const mtcnn_face *face, const char *text)
{
    int length = 0;
    for (const char *c = text; *c && length < MAX_LABEL; c++)
        length += begins_character(*c);
    if (!length)
        return;
    const int box_width = to_pixel(face->box[2] - face->box[0]);
    const int scale = clamp(box_width / (length * MT_GLYPH_STEP), 1, canvas->line);
    const int width = scale * (length * MT_GLYPH_STEP + 1), height = scale * (MT_GLYPH_HEIGHT + 2);
    const int left = clamp(to_pixel(face->box[0]) - canvas->line / 2, 0, canvas->width - width);
    int top = to_pixel(face->box[1]) - canvas->line / 2 - height;
    if (top < 0)
        top += height;
    fill(canvas, left, top, left + width, top + height, box_color);
    for (int i = 0; i < length; text++)
        if (begins_character(*text))
            draw_glyph(canvas, *text, left + scale * (1 + i++ * MT_GLYPH_STEP), top + scale, scale);
}

static bool has_landmarks(const mtcnn_face *face)
{
    for (int i = 0; i < 10; i++)
        if (face->landmarks[i] != 0.0f)
            return true;
    return false;
}

static void draw_face(const mt_canvas *canvas, const mtcnn_findings *findings, int index,
                      const char *label)
{
    const mtcnn_face *face = mt_found_face(findings, index);
    const bool landmarks = has_landmarks(face);
    char id[16] = "", number[MT_DECIMAL_SIZE], score[sizeof id + sizeof number];
    if (findings->tracks)
        snprintf(id, sizeof id, "#%" PRIu32 " ", findings->tracks->faces[index].id);
    draw_box(canvas, face->box);
    if (!label && landmarks) {
        snprintf(score, sizeof score, "%s%s", id, mt_write_decimal(number, face->score, 2));
        label = score;
    }
    if (label)
        draw_label(canvas, face, label);
    if (landmarks)
        draw_landmarks(canvas, face);
}

int mtcnn_draw(uint8_t *pixels, ptrdiff_t stride, const mtcnn_findings *findings,
               const char *const *labels, mtcnn_error *error)
{
    mt_clear(error);
    int status = mt_check_findings(findings, error);
    if (status)
        return status;
    const int width = findings->width, height = findings->height;
    const mtcnn_image image = {pixels, width, height, stride, MTCNN_RGB};
    status = mt_check_image(&image, error);
    if (status)
        return status;
    const int line = (width / 2 + height / 2) / LINE_DIVISOR;
    const mt_canvas canvas = {pixels, stride, width, height, line < 2 ? 2 : line};
    for (int i = mtcnn_findings_count(findings); i-- > 0;) /* the best face last, on top */
        draw_face(&canvas, findings, i, labels ? labels[i] : NULL);
    return MTCNN_OK;
}
