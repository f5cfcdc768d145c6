#include "winograd.h"

#include <string.h>

void mt_winograd_filter(const float *filter, float *points, size_t step)
{
    const double a = MT_POINT_1, b = MT_POINT_2;
    const double at_a = 2 * a * a * (a * a - b * b), at_b = 2 * b * b * (b * b - a * a);
    const double g[MT_WINDOW][3] = {
        {1 / (a * a * b * b), 0, 0},         {1 / at_a, a / at_a, a * a / at_a},
        {1 / at_a, -a / at_a, a * a / at_a}, {1 / at_b, b / at_b, b * b / at_b},
        {1 / at_b, -b / at_b, b * b / at_b}, {0, 0, 1},
    };
    double half[MT_WINDOW][3];
    for (int i = 0; i < MT_WINDOW; i++)
        for (int x = 0; x < 3; x++)
            half[i][x] = g[i][0] * filter[x] + g[i][1] * filter[3 + x] + g[i][2] * filter[6 + x];
    for (int i = 0; i < MT_WINDOW; i++)
        for (int j = 0; j < MT_WINDOW; j++, points += step)
            *points = (float)(half[i][0] * g[j][0] + half[i][1] * g[j][1] + half[i][2] * g[j][2]);
}

/* The floats of a least odd number of cache lines that hold so many floats. */
static size_t odd_lines(size_t floats)
{
    const size_t line = MT_LINE_FLOATS;
    return (floats + line - 1) / (2 * line) * (2 * line) + line;
}

/* Floats from one point to the next: an odd number of cache lines, or all would share one set. */
static size_t values_step(const mt_step *step)
{
    return odd_lines((size_t)MT_CHUNK * step->in_step);
}

static size_t products_step(const mt_kernels *kernels, const mt_step *step)
{
    return odd_lines((size_t)MT_CHUNK * step->panel * kernels->vector);
}

bool mt_winograd_reserve(mt_buffer *scratch, const mt_kernels *kernels, const mt_step *step)
{
    return step->kind != MT_WINOGRAD ||
           mt_reserve(scratch, MT_POINTS * (values_step(step) + products_step(kernels, step)),
                      sizeof(float));
}

void mt_winograd_begin(mt_winograd *winograd, const mt_kernels *kernels, const mt_step *step,
                       const mt_buffer *scratch)
{
    *winograd = (mt_winograd){.kernels = kernels,
                              .step = step,
                              .values = scratch->data,
                              .products = (float *)scratch->data + MT_POINTS * values_step(step)};
}

void mt_tile_row_begin(mt_tile_row *tiles, const mt_step *step, int width)
{
    tiles->tiles = (width + MT_TILE - 1) / MT_TILE;
    const size_t slack = (size_t)(tiles->tiles * MT_TILE - width) * step->in_step;
    for (int r = 0; r < MT_WINDOW && slack; r++)
        memset(tiles->rows[r] + (size_t)(width + 2) * step->in_step, 0, slack * sizeof(float));
}

/* Computes the tiles gathered so far. */
static void flush(mt_winograd *winograd)
{
    const mt_kernels *kernels = winograd->kernels;
    const mt_step *step = winograd->step;
    const int width = step->panel * kernels->vector;
    const size_t next = products_step(kernels, step);
    const float *weights = step->weights;
    for (int c = 0; c < step->out_step; c += width) {
        kernels->tiles_multiply(&(mt_tiles_multiply){
            .values = winograd->values,
            .values_step = (ptrdiff_t)values_step(step),
            .tiles = winograd->tiles,
            .step = step->in_step,
            .channels = step->in_channels,
            .panel = step->panel,
            .weights = weights,
            .products = winograd->products,
            .products_step = (ptrdiff_t)next,
        });
        weights += (size_t)MT_POINTS * step->in_channels * width;
        const float *products = winograd->products;
        for (int i = 0; i < winograd->piece_count; i++) {
            const mt_tile_row *piece = &winograd->pieces[i];
            mt_tiles_out work = {.products = products,
                                 .products_step = (ptrdiff_t)next,
                                 .tiles = piece->tiles,
                                 .vectors = step->panel,
                                 .biases = step->biases + c,
                                 .slopes = step->slopes + c,
                                 .step = step->out_step};
            for (int r = 0; r < MT_TILE; r++)
                work.rows[r] = piece->outputs[r] + c;
            kernels->tiles_out(&work);
            products += piece->tiles * width;
        }
    }
    winograd->tiles = winograd->piece_count = 0;
}

void mt_winograd_add(mt_winograd *winograd, const mt_tile_row *tiles)
{
    const mt_step *step = winograd->step;
    for (int first = 0; first < tiles->tiles;) {
        const int room = MT_CHUNK - winograd->tiles, left = tiles->tiles - first;
        mt_tile_row *piece = &winograd->pieces[winograd->piece_count++];
        piece->tiles = left < room ? left : room;
        for (int r = 0; r < MT_WINDOW; r++)
            piece->rows[r] = tiles->rows[r] + (ptrdiff_t)first * MT_TILE * step->in_step;
        for (int r = 0; r < MT_TILE; r++)
            piece->outputs[r] = tiles->outputs[r] + (ptrdiff_t)first * MT_TILE * step->out_step;
        mt_tiles_in work = {.tiles = piece->tiles,
                            .step = step->in_step,
                            .values_step = (ptrdiff_t)values_step(step),
                            .values = winograd->values + winograd->tiles * step->in_step};
        for (int r = 0; r < MT_WINDOW; r++)
            work.rows[r] = piece->rows[r];
        winograd->kernels->tiles_in(&work);
        first += piece->tiles;
        winograd->tiles += piece->tiles;
        if (winograd->tiles == MT_CHUNK)
            flush(winograd);
    }
}

void mt_winograd_end(mt_winograd *winograd)
{
    if (winograd->tiles)
        flush(winograd);
}
