/* Step 1 of the cascade: the levels of the image pyramid, and the tiles that tasks work on. */
#include <limits.h>
#include <math.h>

#include "cascade.h"
#include "error.h"

/*
 * The most outputs of PNet in a tile. Columns: the rows that PNet's layers keep of such a tile fit
 * the second-level cache. Rows: enough of them, so that the pixel rows (10 for the usual PNet) that
 * a tile shares with the next one cost little; few enough, so that there is work for several
 * threads.
 */
#define TILE_COLUMNS 256
#define TILE_ROWS 96

/* No sensible pyramid has more levels; scale_factor 0.99 makes some 700 of a large picture. */
#define MAX_LEVELS 1024

/* PNet's windows reach out of the picture for faces of at least this part of its shorter side:
   those that may fill it. For smaller ones it would take time and bring false alarms. */
#define BORDER_SHARE (1.0 / 4.0)

/* In whole strides, so that the cells inside the picture are those of a level without a margin. */
static int margin_of(const mtcnn_detector *detector, int shorter, double face)
{
    const mtcnn_model *model = detector->model;
    if (face < BORDER_SHARE * shorter)
        return 0;
    return model->stride * (int)floor(detector->options.border * model->cell / model->stride + 0.5);
}

static int plan_level(mtcnn_detector *detector, int width, int height, double face, mt_level *level,
                      mtcnn_error *error)
{
    const mtcnn_model *model = detector->model;
    const mtcnn_network *pnet = model->networks[MT_PNET];
    /* In this order of operations, or the reference rounds some levels to another size. */
    const double w = floor((double)width * model->cell / face + 0.5);
    const double h = floor((double)height * model->cell / face + 0.5);
    level->margin = margin_of(detector, width < height ? width : height, face);
    const int margins = 2 * level->margin;
    const int least = model->cell > margins ? model->cell - margins : 1;
    if ((w + margins) * (h + margins) > INT_MAX)
        return mt_fail(error, MTCNN_ERROR_ARGUMENT,
                       "a picture of %dx%d pixels grows to %.0fx%.0f with min_face %g: use a "
                       "larger min_face",
                       width, height, w, h, detector->options.min_face);
    level->width = w > least ? (int)w : least;
    level->height = h > least ? (int)h : least;
    mtcnn_shape shape;
    int status = mt_workspace_shape(&detector->lanes[0].workspaces[MT_PNET], pnet,
                                    pnet->layer_count - 1, level->height + margins,
                                    level->width + margins, &shape, error);
    level->rows = shape.height;
    level->columns = shape.width;
    return status;
}

/* Splits a level into tiles of about the same size. Returns false if there is no memory. */
static bool plan_tiles(mtcnn_detector *detector, int index, mt_level *level)
{
    const int down = (level->rows + TILE_ROWS - 1) / TILE_ROWS;
    const int across = (level->columns + TILE_COLUMNS - 1) / TILE_COLUMNS;
    const size_t count = (size_t)detector->tile_count, added = (size_t)down * across;
    if (count + added > INT_MAX ||
        !mt_grow(&detector->buffers[MT_DETECTOR_TILES], count, count + added, sizeof(mt_tile)))
        return false;
    level->tiles_left = (int)added;
    mt_tile *tile = (mt_tile *)detector->buffers[MT_DETECTOR_TILES].data + count;
    for (int i = 0; i < down; i++) {
        for (int j = 0; j < across; j++, tile++) {
            tile->level = index;
            tile->row = (int)((int64_t)level->rows * i / down);
            tile->rows = (int)((int64_t)level->rows * (i + 1) / down) - tile->row;
            tile->column = (int)((int64_t)level->columns * j / across);
            tile->columns = (int)((int64_t)level->columns * (j + 1) / across) - tile->column;
        }
    }
    detector->tile_count += (int)added;
    return true;
}

int mt_plan_pyramid(mtcnn_detector *detector, int width, int height, mtcnn_error *error)
{
    const mtcnn_options *options = &detector->options;
    detector->level_count = detector->tile_count = 0;
    const int shorter = width < height ? width : height, longer = width + height - shorter;
    int64_t cells = 0; /* of all levels: mtcnn_stage counts them in an int */
    double face = options->min_face;
    if (options->max_side && longer > options->max_side)
        face = face * longer / options->max_side;
    for (; face * (1.0 - 2.0 * options->border) <= shorter; face /= options->scale_factor) {
        const size_t count = (size_t)detector->level_count;
        if (!mt_grow(&detector->buffers[MT_DETECTOR_LEVELS], count, count + 1, sizeof(mt_level)))
            return mt_fail_memory(error, "the pyramid", (count + 1) * sizeof(mt_level));
        mt_level *level = (mt_level *)detector->buffers[MT_DETECTOR_LEVELS].data + count;
        int status = plan_level(detector, width, height, face, level, error);
        if (status)
            return status;
        cells += (int64_t)level->rows * level->columns;
        if (count == MAX_LEVELS || cells > INT_MAX)
            return mt_fail(error, MTCNN_ERROR_ARGUMENT,
                           "scale_factor %g makes too many pyramid levels of a picture of %dx%d "
                           "pixels; use a smaller one",
                           options->scale_factor, width, height);
        if (!plan_tiles(detector, (int)count, level))
            return mt_fail_memory(error, "the pyramid",
                                  (size_t)detector->tile_count * sizeof(mt_tile));
        detector->level_count++;
    }
    return MTCNN_OK;
}
