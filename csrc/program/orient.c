#include <stddef.h>
#include <string.h>

#include "picture.h"

#define BLOCK 32 /* pixels: turned pictures are copied by blocks, which the cache can hold */

/*
 * Where the upright picture's pixel (x, y) lies in the stored one, by EXIF orientation: the corner
 * to start from, and whether x runs along the stored rows or down its columns (Exif 2.3, tag 274).
 */
static const struct {
    unsigned char from_right, from_bottom, swap;
} orientations[9] = {
    [1] = {0, 0, 0}, /* upright */
    [2] = {1, 0, 0}, /* mirrored left to right */
    [3] = {1, 1, 0}, /* upside down */
    [4] = {0, 1, 0}, /* mirrored top to bottom */
    [5] = {0, 0, 1}, /* transposed */
    [6] = {0, 1, 1}, /* to be turned clockwise */
    [7] = {1, 1, 1}, /* transposed along the other diagonal */
    [8] = {1, 0, 1}, /* to be turned anticlockwise */
};

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

int picture_orient(struct picture *picture, int orientation, struct message *message)
{
    if (orientation <= 1 || orientation > 8)
        return 0;
    const int right = orientations[orientation].from_right;
    const int bottom = orientations[orientation].from_bottom;
    const int swap = orientations[orientation].swap;
    const ptrdiff_t width = picture->width, height = picture->height;

    struct picture upright;
    if (picture_allocate(&upright, (size_t)(swap ? height : width), (size_t)(swap ? width : height),
                         message))
        return -1;

    /* Steps in the stored picture, bytes: along its row, down its column. */
    const ptrdiff_t along = right ? -3 : 3;
    const ptrdiff_t down = bottom ? -3 * width : 3 * width;
    const ptrdiff_t step_x = swap ? down : along;
    const ptrdiff_t step_y = swap ? along : down;
    const uint8_t *corner = picture->pixels +
                            3 * ((bottom ? height - 1 : 0) * width + (right ? width - 1 : 0));

    for (int top = 0; top < upright.height; top += BLOCK)
        for (int left = 0; left < upright.width; left += BLOCK)
            for (int y = top; y < smaller(top + BLOCK, upright.height); y++) {
                uint8_t *target = upright.pixels + 3 * ((ptrdiff_t)y * upright.width + left);
                const uint8_t *source = corner + y * step_y + left * step_x;
                for (int x = left; x < smaller(left + BLOCK, upright.width); x++) {
                    memcpy(target, source, 3);
                    target += 3;
                    source += step_x;
                }
            }
    picture_free(picture);
    *picture = upright;
    return 0;
}
