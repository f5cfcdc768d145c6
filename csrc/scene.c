#include "scene.h"

#include <stdlib.h>

#include "image.h"

/* The pixels that are looked at: the middles of the cells of a grid. */
enum { COLUMNS = 64, ROWS = 36 };

/* Least share of them with other colours, at a cut. */
#define CUT 0.25

void mt_scene_of(mt_scene *scene, const mtcnn_image *image)
{
    const bool gray = image->color == MTCNN_GRAY;
    const int bytes = mt_pixel_bytes(image->color);
    *scene = (mt_scene){{0}};
    for (int i = 0; i < ROWS; i++) {
        const int y = (int)((2 * i + 1) * (int64_t)image->height / (2 * ROWS));
        const uint8_t *row = image->pixels + y * image->stride;
        for (int j = 0; j < COLUMNS; j++) {
            const int x = (int)((2 * j + 1) * (int64_t)image->width / (2 * COLUMNS));
            const uint8_t *pixel = row + (ptrdiff_t)x * bytes;
            const int color = gray ? pixel[0] >> 6
                                   : pixel[0] >> 6 << 4 | pixel[1] >> 6 << 2 | pixel[2] >> 6;
            scene->counts[color]++;
        }
    }
}

bool mt_scene_is_cut(const mt_scene *before, const mt_scene *after)
{
    int changes = 0; /* each pixel that changes leaves one colour and joins another */
    for (int i = 0; i < MT_SCENE_COLORS; i++)
        changes += abs(after->counts[i] - before->counts[i]);
    return changes >= 2 * CUT * COLUMNS * ROWS;
}
