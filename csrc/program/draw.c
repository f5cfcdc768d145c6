#include "draw.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define GLYPH_WIDTH 5
#define GLYPH_HEIGHT 7
#define GLYPH_STEP (GLYPH_WIDTH + 1)

#define LINE_DIVISOR 400 /* a line is as wide as the picture's mean side divided by this */

struct color {
    uint8_t red, green, blue;
};

static const struct color box_color = {60, 220, 70};
static const struct color text_color = {0, 0, 0};
static const struct color left_color = {255, 70, 60}; /* the eye and mouth corner on the left */
static const struct color nose_color = {255, 210, 0};
static const struct color right_color = {60, 150, 255};

/* What a label can hold: digits, the point, '#' and blanks. A row is 5 bits, left one highest. */
static const uint8_t digits[10][GLYPH_HEIGHT] = {
    {14, 17, 19, 21, 25, 17, 14}, {4, 12, 4, 4, 4, 4, 14},  {14, 17, 1, 2, 4, 8, 31},
    {31, 2, 4, 2, 1, 17, 14},     {2, 6, 10, 18, 31, 2, 2}, {31, 16, 30, 1, 1, 17, 14},
    {6, 8, 16, 30, 17, 17, 14},   {31, 1, 2, 4, 8, 8, 8},   {14, 17, 17, 14, 17, 17, 14},
    {14, 17, 17, 15, 1, 2, 12},
};
static const uint8_t point[GLYPH_HEIGHT] = {0, 0, 0, 0, 0, 12, 12};
static const uint8_t hash[GLYPH_HEIGHT] = {10, 10, 31, 10, 31, 10, 10};
static const uint8_t blank[GLYPH_HEIGHT] = {0};

/* The nearest pixel border; far outside is as good as at the largest side outside. */
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
static void fill(struct picture *picture, int x1, int y1, int x2, int y2, struct color color)
{
    x1 = clamp(x1, 0, picture->width);
    x2 = clamp(x2, 0, picture->width);
    y1 = clamp(y1, 0, picture->height);
    y2 = clamp(y2, 0, picture->height);
    for (int y = y1; y < y2; y++) {
        uint8_t *pixel = picture->pixels + 3 * ((size_t)y * (size_t)picture->width + (size_t)x1);
        for (int x = x1; x < x2; x++, pixel += 3) {
            pixel[0] = color.red;
            pixel[1] = color.green;
            pixel[2] = color.blue;
        }
    }
}

/* The outline, line pixels wide, its middle on the box's border. */
static void draw_box(struct picture *picture, const float box[4], int line)
{
    int x1 = to_pixel(box[0]) - line / 2, y1 = to_pixel(box[1]) - line / 2;
    int x2 = to_pixel(box[2]) - line / 2 + line, y2 = to_pixel(box[3]) - line / 2 + line;
    fill(picture, x1, y1, x2, y1 + line, box_color);
    fill(picture, x1, y2 - line, x2, y2, box_color);
    fill(picture, x1, y1, x1 + line, y2, box_color);
    fill(picture, x2 - line, y1, x2, y2, box_color);
}

/* A disc of the given diameter, pixels, by its rows. */
static void draw_dot(struct picture *picture, float x, float y, int diameter, struct color color)
{
    float radius = 0.5f * (float)diameter;
    int top = to_pixel(y - radius);
    for (int row = 0; row < diameter; row++) {
        float height = (float)row + 0.5f - radius;
        float half = sqrtf(radius * radius - height * height);
        fill(picture, to_pixel(x - half), top + row, to_pixel(x + half), top + row + 1, color);
    }
}

static void draw_glyph(struct picture *picture, char character, int left, int top, int scale)
{
    const uint8_t *rows = character >= '0' && character <= '9' ? digits[character - '0']
                          : character == '.'                   ? point
                          : character == '#'                   ? hash
                                                               : blank;
    for (int row = 0; row < GLYPH_HEIGHT; row++)
        for (int column = 0; column < GLYPH_WIDTH; column++)
            if (rows[row] >> (GLYPH_WIDTH - 1 - column) & 1)
                fill(picture, left + scale * column, top + scale * row, left + scale * (column + 1),
                     top + scale * (row + 1), text_color);
}

/* The label on a plate above the box, or within it where the picture ends above. */
static void draw_label(struct picture *picture, const mtcnn_face *face, const char *text, int line)
{
    int length = (int)strlen(text);
    int box_width = to_pixel(face->box[2] - face->box[0]);
    int scale = clamp(box_width / (length * GLYPH_STEP), 1, line);
    int width = scale * (length * GLYPH_STEP + 1), height = scale * (GLYPH_HEIGHT + 2);
    int left = clamp(to_pixel(face->box[0]) - line / 2, 0, picture->width - width);
    int top = to_pixel(face->box[1]) - line / 2 - height;
    if (top < 0)
        top += height;
    fill(picture, left, top, left + width, top + height, box_color);
    for (int i = 0; i < length; i++)
        draw_glyph(picture, text[i], left + scale * (1 + i * GLYPH_STEP), top + scale, scale);
}

static bool has_landmarks(const mtcnn_face *face)
{
    for (int i = 0; i < 10; i++)
        if (face->landmarks[i] != 0.0f)
            return true;
    return false;
}

void draw_faces(struct picture *picture, const mtcnn_face *faces, const uint32_t *ids, int count)
{
    static const struct color *const colors[5] = {&left_color, &right_color, &nose_color,
                                                  &left_color, &right_color};
    int line = (picture->width / 2 + picture->height / 2) / LINE_DIVISOR;
    if (line < 2)
        line = 2;
    while (count-- > 0) { /* the best face last, on top */
        const mtcnn_face *face = &faces[count];
        draw_box(picture, face->box, line);
        if (!has_landmarks(face))
            continue;
        char label[32];
        if (ids)
            snprintf(label, sizeof label, "#%" PRIu32 " %.2f", ids[count], (double)face->score);
        else
            snprintf(label, sizeof label, "%.2f", (double)face->score);
        draw_label(picture, face, label, line);
        int diameter = to_pixel(0.06f * (face->box[2] - face->box[0]));
        diameter = clamp(diameter, 2, 3 * line);
        for (int i = 0; i < 5; i++) {
            const float x = face->landmarks[2 * i], y = face->landmarks[2 * i + 1];
            draw_dot(picture, x, y, diameter + 2, text_color); /* a rim: red on lips is not seen */
            draw_dot(picture, x, y, diameter, *colors[i]);
        }
    }
}
