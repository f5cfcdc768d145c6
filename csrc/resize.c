#include "resize.h"

#include <math.h>

/* Fills taps [span.count] and their weights. Returns false if there is no memory. */
static bool make_taps(mt_span span, mt_buffer *taps_buffer, mt_buffer *weights_buffer)
{
    const double support = span.step > 1.0 ? span.step : 1.0;
    const size_t most = (size_t)fmin(2.0 * support + 2.0, span.size) + 1;
    if (!mt_reserve(taps_buffer, (size_t)span.count, sizeof(mt_taps)) ||
        !mt_reserve(weights_buffer, (size_t)span.count * most, sizeof(float)))
        return false;

    mt_taps *taps = taps_buffer->data;
    float *weights = weights_buffer->data;
    for (int i = 0; i < span.count; i++) {
        const double centre = span.start + (span.first + i + 0.5) * span.step;
        taps[i] = (mt_taps){0, 0, (size_t)i * most};
        if (!(centre >= 0.0 && centre < span.size))
            continue;
        const double low = centre - support, high = centre + support;
        const int from = low > 0.0 ? (int)low : 0;
        const int to = high < span.size - 1 ? (int)high + 1 : span.size;
        float *w = weights + taps[i].weights;
        double sum = 0.0;
        for (int j = from; j < to; j++) {
            const double weight = 1.0 - fabs(j + 0.5 - centre) / support;
            sum += weight > 0.0 ? weight : 0.0;
        }
        for (int j = from; j < to; j++) {
            const double weight = 1.0 - fabs(j + 0.5 - centre) / support;
            if (weight <= 0.0)
                continue;
            if (!taps[i].count)
                taps[i].first = j;
            w[taps[i].count++] = (float)(weight / sum);
        }
    }
    return true;
}

static int bytes_of_pixel(mtcnn_color color)
{
    return color == MTCNN_GRAY ? 1 : color == MTCNN_RGB || color == MTCNN_BGR ? 3 : 4;
}

bool mt_resize_begin(mt_resizer *resizer, const mt_kernels *kernels, const mtcnn_image *image,
                     mt_span x, mt_span y, const mt_normalisation *normalisation)
{
    resizer->kernels = kernels;
    resizer->image = *image;
    resizer->normalisation = *normalisation;
    resizer->x = x;
    resizer->y = y;
    if (!make_taps(x, &resizer->x_taps, &resizer->x_weights) ||
        !make_taps(y, &resizer->y_taps, &resizer->y_weights))
        return false;

    /* Only the columns that some output needs are looked at; taps count from the first of them. */
    mt_taps *taps = resizer->x_taps.data;
    resizer->left = x.size;
    resizer->right = 0;
    for (int i = 0; i < x.count; i++) {
        if (!taps[i].count)
            continue;
        const int end = taps[i].first + taps[i].count;
        resizer->left = taps[i].first < resizer->left ? taps[i].first : resizer->left;
        resizer->right = end > resizer->right ? end : resizer->right;
    }
    for (int i = 0; i < x.count; i++)
        if (taps[i].count)
            taps[i].first -= resizer->left;
    const int columns = resizer->right > resizer->left ? resizer->right - resizer->left : 0;
    return mt_reserve(&resizer->row, (size_t)columns * bytes_of_pixel(image->color) + 1,
                      sizeof(float));
}

void mt_resize_row(mt_resizer *resizer, int row, float *pixels)
{
    const mt_normalisation *normalisation = &resizer->normalisation;
    const mtcnn_image *image = &resizer->image;
    const mt_taps *x_taps = resizer->x_taps.data;
    const mt_taps *y_taps = (const mt_taps *)resizer->y_taps.data + row;
    const int count = resizer->x.count;

    if (y_taps->count && resizer->left < resizer->right) {
        const float *weights = (const float *)resizer->y_weights.data + y_taps->weights;
        const int channels = bytes_of_pixel(image->color);
        const uint8_t *bytes = image->pixels + y_taps->first * image->stride +
                               (ptrdiff_t)resizer->left * channels;
        float *sums = resizer->row.data;
        resizer->kernels->blend(bytes, image->stride, weights, y_taps->count,
                                (resizer->right - resizer->left) * channels, sums);
        resizer->kernels->mix(sums, channels, x_taps, resizer->x_weights.data, count,
                              normalisation->norm, -normalisation->mean * normalisation->norm,
                              pixels);
        const bool blue_first = image->color == MTCNN_BGR || image->color == MTCNN_BGRA;
        if (blue_first != (normalisation->color == MTCNN_BGR)) {
            for (int i = 0; i < count; i++) {
                const float swap = pixels[3 * i];
                pixels[3 * i] = pixels[3 * i + 2];
                pixels[3 * i + 2] = swap;
            }
        }
    }
    const float outside = (normalisation->pad - normalisation->mean) * normalisation->norm;
    for (int i = 0; i < count; i++)
        if (!y_taps->count || !x_taps[i].count)
            pixels[3 * i] = pixels[3 * i + 1] = pixels[3 * i + 2] = outside;
}

bool mt_resize_planar(mt_resizer *resizer, float *output)
{
    const int count = resizer->x.count, rows = resizer->y.count;
    const size_t plane = (size_t)rows * count;
    if (!mt_reserve(&resizer->planar, 3 * (size_t)count + 1, sizeof(float)))
        return false;
    float *pixels = resizer->planar.data;
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
    mt_release(&resizer->x_taps);
    mt_release(&resizer->y_taps);
    mt_release(&resizer->x_weights);
    mt_release(&resizer->y_weights);
    mt_release(&resizer->row);
    mt_release(&resizer->planar);
}
