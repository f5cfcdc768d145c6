#include "resize.h"

#include <math.h>
#include <string.h>

#include "image.h"

/* Weights that are no more than rounding are none: so a row counts for two neighbours at most. */
#define MIN_WEIGHT 1e-9

/* Rows of the picture that are blended at once. */
#define ROWS 16

static double support_of(mt_span span)
{
    return span.step > 1.0 ? span.step : 1.0;
}

/* The most pixels of which a sample is made. */
static int most_taps(mt_span span)
{
    return (int)fmin(ceil(2.0 * support_of(span)), span.size);
}

static double centre_of(mt_span span, int index)
{
    return span.start + (span.first + index + 0.5) * span.step;
}

/* The samples whose centres lie in the picture: from *first to *end - 1. The others need nothing.
 */
static void find_inside(mt_span span, int *first, int *end)
{
    *first = *end = 0;
    for (int i = 0; i < span.count; i++) {
        const double centre = centre_of(span, i);
        if (!(centre >= 0.0 && centre < span.size))
            continue;
        if (*end == 0)
            *first = i;
        *end = i + 1;
    }
}

/* Fills weights [most] of sample `index`, which is inside, for the pixels from the first one on. */
static mt_taps weigh(mt_span span, int index, int most, float *weights)
{
    const double support = support_of(span), slope = 1.0 / support;
    const double centre = centre_of(span, index);
    memset(weights, 0, (size_t)most * sizeof *weights);
    const int first = (int)fmax(floor(centre - support + 0.5), 0.0);
    int count = span.size - first < most ? span.size - first : most;
    double sum = 0.0, factor = 1.0;
    for (int pass = 0; pass < 2; pass++, factor = 1.0 / sum) {
        for (int k = 0; k < count; k++) {
            double weight = 1.0 - fabs(first + k + 0.5 - centre) * slope;
            weight = weight > MIN_WEIGHT ? weight : 0.0;
            weights[k] = (float)(weight * factor);
            sum += weight;
        }
    }
    while (weights[count - 1] <= 0.0f)
        count--;
    return (mt_taps){first, count};
}

/* Samples of x: where they begin, and which pixels of the picture they need. false: no memory. */
static bool begin_x(mt_resizer *resizer)
{
    const mt_span x = resizer->x;
    const int most = resizer->x_most = most_taps(x);
    find_inside(x, &resizer->inside, &resizer->inside_end);
    const int count = resizer->inside_end - resizer->inside;
    if (!mt_reserve(&resizer->buffers[MT_RESIZER_X_FIRSTS], (size_t)count, sizeof(int)) ||
        !mt_reserve(&resizer->buffers[MT_RESIZER_X_WEIGHTS], (size_t)count * most, sizeof(float)))
        return false;
    int *firsts = resizer->buffers[MT_RESIZER_X_FIRSTS].data;
    float *weights = resizer->buffers[MT_RESIZER_X_WEIGHTS].data;
    mt_taps last = {0, 0};
    for (int i = 0; i < count; i++) {
        last = weigh(x, resizer->inside + i, most, weights + (size_t)i * most);
        firsts[i] = last.first;
    }
    resizer->left = count ? firsts[0] : 0;
    resizer->columns = last.first + last.count - resizer->left;
    for (int i = 0; i < count; i++)
        firsts[i] -= resizer->left;
    return true;
}

static bool begin_y(mt_resizer *resizer)
{
    const mt_span y = resizer->y;
    int end;
    find_inside(y, &resizer->y_inside, &end);
    resizer->begun = -1;
    const int most = resizer->y_most = most_taps(y), first = resizer->y_inside;
    if (!mt_reserve(&resizer->buffers[MT_RESIZER_Y_TAPS], (size_t)y.count, sizeof(mt_taps)) ||
        !mt_reserve(&resizer->buffers[MT_RESIZER_Y_WEIGHTS], (size_t)(end - first) * most,
                    sizeof(float)))
        return false;
    mt_taps *taps = resizer->buffers[MT_RESIZER_Y_TAPS].data;
    float *weights = resizer->buffers[MT_RESIZER_Y_WEIGHTS].data;
    memset(taps, 0, (size_t)y.count * sizeof *taps);
    for (int i = first; i < end; i++)
        taps[i] = weigh(y, i, most, weights + (size_t)(i - first) * most);
    return true;
}

bool mt_resize_begin(mt_resizer *resizer, const mt_kernels *kernels, const mtcnn_image *image,
                     mt_span x, mt_span y, const mt_normalisation *normalisation)
{
    resizer->kernels = kernels;
    resizer->image = *image;
    resizer->normalisation = *normalisation;
    resizer->x = x;
    resizer->y = y;
    if (!begin_x(resizer) || !begin_y(resizer))
        return false;

    /* What `mix` reads behind the last column, with weights of zero. */
    const int channels = mt_pixel_bytes(image->color);
    const size_t used = (size_t)resizer->columns * channels;
    resizer->sums_floats = used + (size_t)resizer->x_most * channels + 1;
    if (!mt_reserve(&resizer->buffers[MT_RESIZER_SUMS], 2 * resizer->sums_floats, sizeof(float)))
        return false;
    for (int side = 0; side < 2; side++)
        memset((float *)resizer->buffers[MT_RESIZER_SUMS].data + side * resizer->sums_floats + used,
               0, (resizer->sums_floats - used) * sizeof(float));
    return true;
}

/*
 * The columns of the picture, resized along y to row `row`, which has taps. When shrinking, each of
 * the picture's rows counts for this row, the next one, or both, and is read once.
 */
static const float *make_columns(mt_resizer *resizer, int row)
{
    const mt_taps *taps = (const mt_taps *)resizer->buffers[MT_RESIZER_Y_TAPS].data + row;
    const float *weights = (const float *)resizer->buffers[MT_RESIZER_Y_WEIGHTS].data +
                           (size_t)(row - resizer->y_inside) * resizer->y_most;
    const bool both = resizer->y.step >= 1.0 && row + 1 < resizer->y.count && taps[1].count;
    const mtcnn_image *image = &resizer->image;
    const int channels = mt_pixel_bytes(image->color), columns = resizer->columns * channels;
    const uint8_t *bytes = image->pixels + (ptrdiff_t)resizer->left * channels;
    const size_t used = (size_t)columns * sizeof(float);
    const int end = taps->first + taps->count;
    int first = taps->first;
    if (resizer->begun == row) {
        resizer->side = !resizer->side;
        first = resizer->done > first ? resizer->done : first;
    }
    float *now = (float *)resizer->buffers[MT_RESIZER_SUMS].data +
                 resizer->side * resizer->sums_floats;
    float *next = (float *)resizer->buffers[MT_RESIZER_SUMS].data +
                  !resizer->side * resizer->sums_floats;
    if (resizer->begun != row)
        memset(now, 0, used);
    if (both)
        memset(next, 0, used);

    while (first < end) {
        const int rows = end - first < ROWS ? end - first : ROWS;
        float pairs[2 * ROWS];
        for (int k = 0; k < rows; k++) {
            const int ahead = both ? first + k - taps[1].first : -1;
            pairs[2 * k] = weights[first + k - taps->first];
            pairs[2 * k + 1] = ahead >= 0 ? weights[resizer->y_most + ahead] : 0.0f;
        }
        resizer->kernels->blend(bytes + first * image->stride, image->stride, pairs, rows, columns,
                                now, both ? next : NULL);
        first += rows;
    }
    resizer->begun = both ? row + 1 : -1;
    resizer->done = end;
    return now;
}

static void fill(float *pixels, int first, int end, float value)
{
    for (int i = 3 * first; i < 3 * end; i++)
        pixels[i] = value;
}

void mt_resize_row(mt_resizer *resizer, int row, float *pixels)
{
    const mt_normalisation *normalisation = &resizer->normalisation;
    const mtcnn_color color = resizer->image.color;
    const float outside = (normalisation->pad - normalisation->mean) * normalisation->norm;
    const int inside = resizer->inside, end = resizer->inside_end;
    if (inside == end || !((const mt_taps *)resizer->buffers[MT_RESIZER_Y_TAPS].data)[row].count) {
        fill(pixels, 0, resizer->x.count, outside);
        return;
    }
    const float *columns = make_columns(resizer, row);
    const float *weights = resizer->buffers[MT_RESIZER_X_WEIGHTS].data;
    resizer->kernels->mix(columns, mt_pixel_bytes(color),
                          resizer->buffers[MT_RESIZER_X_FIRSTS].data, weights, resizer->x_most,
                          end - inside, normalisation->norm,
                          -normalisation->mean * normalisation->norm, pixels + 3 * inside);
    const bool blue_first = color == MTCNN_BGR || color == MTCNN_BGRA;
    if (blue_first != (normalisation->color == MTCNN_BGR)) {
        for (int i = inside; i < end; i++) {
            const float swap = pixels[3 * i];
            pixels[3 * i] = pixels[3 * i + 2];
            pixels[3 * i + 2] = swap;
        }
    }
    fill(pixels, 0, inside, outside);
    fill(pixels, end, resizer->x.count, outside);
}

bool mt_resize_planar(mt_resizer *resizer, float *output)
{
    const int count = resizer->x.count, rows = resizer->y.count;
    const size_t plane = (size_t)rows * count;
    if (!mt_reserve(&resizer->buffers[MT_RESIZER_PLANAR], 3 * (size_t)count + 1, sizeof(float)))
        return false;
    float *pixels = resizer->buffers[MT_RESIZER_PLANAR].data;
    for (int y = 0; y < rows; y++) {
        mt_resize_row(resizer, y, pixels);
        for (int c = 0; c < 3; c++)
            for (int x = 0; x < count; x++)
                output[c * plane + (size_t)y * count + x] = pixels[3 * x + c];
    }
    return true;
}

void mt_resizer_free(mt_resizer *resizer)
{
    mt_buffers_release(resizer->buffers, MT_RESIZER_BUFFERS);
}
