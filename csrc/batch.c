/*
 * Running a packed network on many pictures of the cfg's own size at once.
 *
 * The first steps, whose features are large, run picture by picture as a stream; the others run
 * step by step on all pictures, so that weights are read once for many of them.
 */
#include <string.h>

#include "packed_steps.h"
#include "winograd.h"

/* Steps on inputs no wider than this run on all pictures at once. */
#define BATCH_SIDE 12

/* The source of one picture of a batch. */
typedef struct mt_batch_source {
    mt_row_source source;
    void *context;
    int first; /* row number of the picture's first row */
} mt_batch_source;

static void batch_row(void *context, int row, float *pixels)
{
    const mt_batch_source *batch = context;
    batch->source(batch->context, batch->first + row, pixels);
}

/* Features of all pictures, [batch][height][width][step], with slack after each row and picture. */
typedef struct mt_map {
    float *values;
    int height, width, step;
    size_t row, picture; /* floats from one to the next */
} mt_map;

static mt_map map_of(float *values, int height, int width, int step)
{
    mt_map map = {values, height, width, step, 0, 0};
    map.row = (size_t)(width + MT_PIXEL_SLACK) * step;
    map.picture = map.row * (height + MT_PIXEL_SLACK);
    return map;
}

static float *map_row(const mt_map *map, int picture, int row)
{
    return map->values + picture * map->picture + row * map->row;
}

static mt_map map_after(const mt_step *step, const mt_map *from, float *values)
{
    return map_of(values, mt_step_output(step, from->height), mt_step_output(step, from->width),
                  step->out_step);
}

/* For each pixel of the output, those of all pictures. */
static void convolve(const mt_packed *packed, const mt_step *step, const mt_map *from,
                     const mt_map *to, int batch)
{
    for (int y = 0; y < to->height; y++) {
        for (int x = 0; x < to->width; x++) {
            const float *rows[MT_MAX_ROWS];
            for (int r = 0; r < step->size; r++)
                rows[r] = map_row(from, 0, y + r) + x * step->in_step;
            mt_step_convolve(packed, step, rows, (ptrdiff_t)from->picture, batch,
                             map_row(to, 0, y) + x * to->step, (ptrdiff_t)to->picture);
        }
    }
}

static void run_winograd(mt_stream *stream, const mt_packed *packed, const mt_step *step,
                         const mt_map *from, const mt_map *to, int batch)
{
    mt_winograd winograd;
    mt_winograd_begin(&winograd, packed->kernels, step, &stream->buffers[MT_STREAM_WINOGRAD]);
    for (int i = 0; i < batch; i++) {
        for (int y = 0; y < to->height; y += MT_TILE) {
            mt_tile_row tiles;
            for (int r = 0; r < MT_WINDOW; r++)
                tiles.rows[r] = map_row(from, i, y + r < from->height ? y + r : from->height - 1);
            for (int r = 0; r < MT_TILE; r++)
                tiles.outputs[r] = map_row(to, i, y + r);
            mt_tile_row_begin(&tiles, step, to->width);
            mt_winograd_add(&winograd, &tiles);
        }
    }
    mt_winograd_end(&winograd);
}

static void pool(const mt_packed *packed, const mt_step *step, const mt_map *from, const mt_map *to,
                 int batch)
{
    for (int i = 0; i < batch; i++) {
        for (int y = 0; y < to->height; y++) {
            const int left = from->height - y * step->stride;
            const int count = step->size < left ? step->size : left;
            const float *rows[MT_MAX_ROWS];
            for (int r = 0; r < count; r++)
                rows[r] = map_row(from, i, y * step->stride + r);
            mt_step_pool(packed, step, rows, count, from->width, to->width, map_row(to, i, y));
        }
    }
}

/* The first step that runs on all pictures at once; side: of its input. */
static int first_together(const mt_packed *packed, int *height, int *width)
{
    int i = 0;
    *height = packed->input.height;
    *width = packed->input.width;
    for (; i < packed->spatial && (i == 0 || *width > BATCH_SIDE); i++) {
        *height = mt_step_output(&packed->steps[i], *height);
        *width = mt_step_output(&packed->steps[i], *width);
    }
    return i;
}

bool mt_packed_run_batch(mt_stream *stream, const mt_packed *packed, int batch,
                         mt_row_source source, void *context, float *output)
{
    int height, width;
    const int first = first_together(packed, &height, &width);
    const int step = first ? packed->steps[first - 1].out_step : packed->input.channels;

    /* Two maps that steps read and write in turn, each as large as the largest that it becomes. */
    mt_map from = map_of(NULL, height, width, step), next = from;
    size_t floats[2] = {from.picture, 0};
    for (int i = first; i < packed->count; i++) {
        next = map_after(&packed->steps[i], &next, NULL);
        size_t *most = &floats[(i - first + 1) % 2];
        *most = next.picture > *most ? next.picture : *most;
        if (!mt_winograd_reserve(&stream->buffers[MT_STREAM_WINOGRAD], packed->kernels,
                                 &packed->steps[i]))
            return false;
    }
    if (!mt_reserve(&stream->buffers[MT_STREAM_MAPS], (floats[0] + floats[1]) * batch,
                    sizeof(float)))
        return false;
    from.values = stream->buffers[MT_STREAM_MAPS].data;
    float *other = from.values + floats[0] * batch;

    mt_batch_source picture = {source, context, 0};
    for (int i = 0; i < batch; i++) {
        picture.first = i * packed->input.height;
        if (!mt_stream_begin_steps(stream, packed, first, packed->input.height, packed->input.width,
                                   batch_row, &picture))
            return false;
        for (int y = 0; y < height; y++)
            memcpy(map_row(&from, i, y), mt_stream_row(stream, y),
                   (size_t)width * step * sizeof(float));
    }
    for (int i = first; i < packed->count; i++) {
        const mt_map to = map_after(&packed->steps[i], &from, other);
        switch (packed->steps[i].kind) {
        case MT_WINOGRAD: run_winograd(stream, packed, &packed->steps[i], &from, &to, batch); break;
        case MT_POOL: pool(packed, &packed->steps[i], &from, &to, batch); break;
        default: convolve(packed, &packed->steps[i], &from, &to, batch); /* a stem is never here */
        }
        other = from.values;
        from = to;
    }
    for (int i = 0; i < batch; i++, output += packed->outputs) {
        memcpy(output, map_row(&from, i, 0), (size_t)packed->outputs * sizeof *output);
        mt_packed_activate(packed, output);
    }
    return true;
}
