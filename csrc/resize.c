#include "resize.h"

#include <math.h>
#include <string.h>

/* The pixels that one output is made of. */
typedef struct mt_taps {
    int first;
    int count;      /* 0: the output's centre lies outside of the picture */
    size_t weights; /* place of the first weight */
} mt_taps;

/* Fills taps [rows] and weights for outputs first <= i < first + rows. */
static bool make_taps(mt_span span, int first, int rows, mt_buffer *taps_buffer,
                      mt_buffer *weights_buffer)
{
    const double step = span.length / span.count;
    const double support = step > 1.0 ? step : 1.0;
    const double widest = fmin(2.0 * support + 2.0, span.size);
    const size_t most = (size_t)widest + 1;
    if (!mt_reserve(taps_buffer, (size_t)rows, sizeof(mt_taps)) ||
        !mt_reserve(weights_buffer, (size_t)rows * most, sizeof(float)))
        return false;

    mt_taps *taps = taps_buffer->data;
    float *weights = weights_buffer->data;
    for (int i = 0; i < rows; i++) {
        const double centre = span.start + (first + i + 0.5) * step;
        taps[i] = (mt_taps){0, 0, (size_t)i * most};
        if (!(centre >= 0.0 && centre < span.size))
            continue;
        const int from = (int)fmax(0.0, floor(centre - support - 0.5));
        const int to = (int)fmin(span.size, ceil(centre + support + 0.5));
        float *w = weights + taps[i].weights;
        double sum = 0.0;
        for (int j = from; j < to; j++) {
            double weight = 1.0 - fabs(j + 0.5 - centre) / support;
            if (weight > 0.0)
                sum += weight;
        }
        for (int j = from; j < to; j++) {
            double weight = 1.0 - fabs(j + 0.5 - centre) / support;
            if (weight <= 0.0)
                continue;
            if (!taps[i].count)
                taps[i].first = j;
            w[taps[i].count++] = (float)(weight / sum);
        }
    }
    return true;
}

/* Where a pixel's red, green and blue are, in bytes; step: bytes of a pixel. */
typedef struct mt_layout {
    int step;
    int offset[3]; /* of the planes, in the order of the network's input */
} mt_layout;

static mt_layout layout_of(mtcnn_color color, mtcnn_color wanted)
{
    if (color == MTCNN_GRAY)
        return (mt_layout){1, {0, 0, 0}};
    const int step = color == MTCNN_RGB || color == MTCNN_BGR ? 3 : 4;
    const bool blue_first = color == MTCNN_BGR || color == MTCNN_BGRA;
    const bool same = blue_first == (wanted == MTCNN_BGR);
    return same ? (mt_layout){step, {0, 1, 2}} : (mt_layout){step, {2, 1, 0}};
}

/* One row along x: output [3][count]. */
static void resize_row(const uint8_t *row, mt_layout layout, const mt_taps *taps,
                       const float *weights, int count, float *output)
{
    for (int i = 0; i < count; i++) {
        const uint8_t *pixel = row + (ptrdiff_t)taps[i].first * layout.step;
        const float *w = weights + taps[i].weights;
        float a = 0.0f, b = 0.0f, c = 0.0f;
        for (int j = 0; j < taps[i].count; j++, pixel += layout.step) {
            a += w[j] * (float)pixel[layout.offset[0]];
            b += w[j] * (float)pixel[layout.offset[1]];
            c += w[j] * (float)pixel[layout.offset[2]];
        }
        output[i] = a;
        output[count + i] = b;
        output[2 * count + i] = c;
    }
}

/* output [count] = (sum over taps of weight * row - mean) * norm */
static void blend_rows(const float *ring, size_t row_floats, int ring_rows, const mt_taps *taps,
                       const float *weights, int count, const mt_normalisation *normalisation,
                       float *output)
{
    for (int j = 0; j < taps->count; j++) {
        const float *row = ring + (size_t)((taps->first + j) % ring_rows) * row_floats;
        const float w = weights[taps->weights + j];
        if (j == 0)
            for (int i = 0; i < count; i++)
                output[i] = w * row[i];
        else
            for (int i = 0; i < count; i++)
                output[i] += w * row[i];
    }
    for (int i = 0; i < count; i++)
        output[i] = (output[i] - normalisation->mean) * normalisation->norm;
}

bool mt_resize(mt_resizer *resizer, const mtcnn_image *image, mt_span x, mt_span y, int first,
               int rows, const mt_normalisation *normalisation, float *output)
{
    if (!make_taps(x, 0, x.count, &resizer->x_taps, &resizer->x_weights) ||
        !make_taps(y, first, rows, &resizer->y_taps, &resizer->y_weights))
        return false;
    const mt_taps *x_taps = resizer->x_taps.data;
    const mt_taps *y_taps = resizer->y_taps.data;
    const float *x_weights = resizer->x_weights.data;
    const float *y_weights = resizer->y_weights.data;

    int ring_rows = 1;
    for (int i = 0; i < rows; i++)
        ring_rows = y_taps[i].count > ring_rows ? y_taps[i].count : ring_rows;
    const size_t row_floats = 3 * (size_t)x.count;
    if (!mt_reserve(&resizer->rows, (size_t)ring_rows * row_floats, sizeof(float)))
        return false;
    float *ring = resizer->rows.data;

    const mt_layout layout = layout_of(image->color, normalisation->color);
    const float outside = (normalisation->pad - normalisation->mean) * normalisation->norm;
    const size_t plane = (size_t)rows * x.count;
    int done = -1; /* last picture row in the ring */
    for (int i = 0; i < rows; i++) {
        const mt_taps *taps = &y_taps[i];
        const int end = taps->first + taps->count;
        for (int j = taps->first > done ? taps->first : done + 1; j < end; j++) {
            resize_row(image->pixels + j * image->stride, layout, x_taps, x_weights, x.count,
                       ring + (size_t)(j % ring_rows) * row_floats);
            done = j;
        }
        for (int c = 0; c < 3; c++) {
            float *out = output + c * plane + (size_t)i * x.count;
            if (taps->count)
                blend_rows(ring + (size_t)c * x.count, row_floats, ring_rows, taps, y_weights,
                           x.count, normalisation, out);
            for (int k = 0; k < x.count; k++)
                if (!taps->count || !x_taps[k].count)
                    out[k] = outside;
        }
    }
    return true;
}

size_t mt_resizer_bytes(const mt_resizer *resizer)
{
    return resizer->x_taps.bytes + resizer->y_taps.bytes + resizer->x_weights.bytes +
           resizer->y_weights.bytes + resizer->rows.bytes;
}

void mt_resizer_free(mt_resizer *resizer)
{
    mt_release(&resizer->x_taps);
    mt_release(&resizer->y_taps);
    mt_release(&resizer->x_weights);
    mt_release(&resizer->y_weights);
    mt_release(&resizer->rows);
}
