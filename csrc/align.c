/*
 * Aligned faces: a similarity transform puts five landmarks where recognition networks want them.
 *
 * The part of the picture that a crop needs is first resized, antialiased, to about the crop's own
 * scale, along the picture's axes, if the face is the larger one; the turned crop is then bilinear
 * in that.
 */
#include <math.h>
#include <string.h>

#include "crop.h"
#include "error.h"
#include "resize.h"

enum { POINTS = 5, TEMPLATE_SIDE = 112 };

/*
 * Step of the resized part, in pixels of the crop. Both steps together then keep half of what is as
 * fine as the crop's own pixels, and little of what is finer; 1 would blur, less would alias.
 */
#define FINENESS 0.7

/*
 * ArcFace's five points in a crop of TEMPLATE_SIDE pixels (insightface, face_align.py), in indices
 * of pixels: 0 is the centre of the first one, which our coordinates call 0.5.
 */
static const double template_points[POINTS][2] = {{38.2946, 51.6963},
                                                  {73.5318, 51.5014},
                                                  {56.0252, 71.7366},
                                                  {41.5493, 92.3655},
                                                  {70.7299, 92.2041}};

/* From the crop to the picture: x = a * u - b * v + x0, y = b * u + a * v + y0. */
typedef struct mt_similarity {
    double a, b, x0, y0;
} mt_similarity;

/*
 * The transform from picture to crop with the least sum of squares at the five points (Umeyama
 * 1991; in the plane it is a complex number times the point), inverted. false: there is none.
 */
static bool fit(const float landmarks[2 * POINTS], int side, mt_similarity *similarity)
{
    double from[POINTS][2], to[POINTS][2], from_mean[2] = {0}, to_mean[2] = {0};
    for (int i = 0; i < POINTS; i++) {
        for (int k = 0; k < 2; k++) {
            from[i][k] = landmarks[2 * i + k];
            to[i][k] = (template_points[i][k] + 0.5) * side / TEMPLATE_SIDE;
            from_mean[k] += from[i][k] / POINTS;
            to_mean[k] += to[i][k] / POINTS;
        }
    }
    double from_square = 0, to_square = 0, real = 0, imaginary = 0;
    for (int i = 0; i < POINTS; i++) {
        const double x = from[i][0] - from_mean[0], y = from[i][1] - from_mean[1];
        const double u = to[i][0] - to_mean[0], v = to[i][1] - to_mean[1];
        from_square += x * x + y * y;
        to_square += u * u + v * v;
        real += x * u + y * v;
        imaginary += x * v - y * u;
    }
    /* Written so that a NaN is false. Points without any likeness to a face have no scale. */
    const double product = real * real + imaginary * imaginary;
    if (!(from_square > 0 && product > 1e-6 * from_square * to_square && isfinite(product)))
        return false;
    const double scale = from_square / product;
    similarity->a = real * scale;
    similarity->b = -imaginary * scale;
    similarity->x0 = from_mean[0] - similarity->a * to_mean[0] + similarity->b * to_mean[1];
    similarity->y0 = from_mean[1] - similarity->b * to_mean[0] - similarity->a * to_mean[1];
    return true;
}

/*
 * Samples `step` apart that cover an axis of the crop, with one more at either end. false: none of
 * them lies in the picture. Landmarks may be so far away that a step is lost in their rounding:
 * only the samples of those that reach the picture are counted.
 */
static bool cover(double low, double high, double step, int size, mt_span *span)
{
    const double start = floor(low - step); /* with a step of 1: the pixels themselves */
    const double count = ceil((high - start) / step) + 1;
    if (!(start < size && start + count * step > 0))
        return false;
    *span = (mt_span){start, step, 0, (int)count, size};
    return true;
}

/* The resized part, float32 [height][width][3], and what there is to make it. */
typedef struct mt_part {
    mt_resizer resizer;
    mt_buffer pixels;
    mt_span x, y;
} mt_part;

/* false: it lies outside the picture */
static bool plan_part(mt_part *part, const mtcnn_image *image, const mt_similarity *similarity,
                      int side)
{
    const double step = fmax(hypot(similarity->a, similarity->b) * FINENESS, 1.0);
    const double x = similarity->x0, along_x = similarity->a * side, down_x = -similarity->b * side;
    const double y = similarity->y0, along_y = similarity->b * side, down_y = similarity->a * side;
    return cover(x + fmin(along_x, 0) + fmin(down_x, 0), x + fmax(along_x, 0) + fmax(down_x, 0),
                 step, image->width, &part->x) &&
           cover(y + fmin(along_y, 0) + fmin(down_y, 0), y + fmax(along_y, 0) + fmax(down_y, 0),
                 step, image->height, &part->y);
}

/* false: no memory */
static bool make_part(mt_part *part, const mt_kernels *kernels, const mtcnn_image *image, int pad)
{
    const mt_normalisation bytes = {0.0f, 1.0f, (float)pad, MTCNN_RGB};
    const size_t row = (size_t)3 * part->x.count;
    /* One float more is written behind each row. */
    if (!mt_reserve(&part->pixels, row * part->y.count + 1, sizeof(float)) ||
        !mt_resize_begin(&part->resizer, kernels, image, part->x, part->y, &bytes))
        return false;
    for (int i = 0; i < part->y.count; i++)
        mt_resize_row(&part->resizer, i, (float *)part->pixels.data + row * i);
    return true;
}

/* Index and fraction of a position among the samples of span, so that index + 1 is one of them. */
static int find_sample(mt_span span, double position, double *fraction)
{
    const double sample = (position - span.start) / span.step - 0.5;
    /* Rounding aside, it is inside. */
    const int index = (int)fmin(fmax(floor(sample), 0), span.count - 2);
    *fraction = sample - index;
    return index;
}

static void sample(const mt_part *part, const mt_similarity *similarity, int side, uint8_t *pixels)
{
    const size_t row = (size_t)3 * part->x.count;
    for (int i = 0; i < side; i++) {
        for (int j = 0; j < side; j++, pixels += 3) {
            const double u = j + 0.5, v = i + 0.5;
            double right, below;
            const int x = find_sample(
                part->x, similarity->a * u - similarity->b * v + similarity->x0, &right);
            const int y = find_sample(
                part->y, similarity->b * u + similarity->a * v + similarity->y0, &below);
            const float *top = (const float *)part->pixels.data + row * y + (size_t)3 * x;
            const float *bottom = top + row;
            for (int c = 0; c < 3; c++)
                pixels[c] = (uint8_t)((1 - below) * ((1 - right) * top[c] + right * top[c + 3]) +
                                      below * ((1 - right) * bottom[c] + right * bottom[c + 3]) +
                                      0.5);
        }
    }
}

int mtcnn_align(const mtcnn_image *image, const float *landmarks, size_t count, int side, int pad,
                uint8_t *pixels, mtcnn_error *error)
{
    mt_clear(error);
    if (count && (!landmarks || !pixels))
        return mt_fail(error, MTCNN_ERROR_ARGUMENT, "mtcnn_align: landmarks or pixels is NULL");
    const mt_kernels *kernels;
    int status = mt_begin_crops(image, side, pad, &kernels, error);
    if (status)
        return status;
    mt_part part = {0};
    const size_t bytes = (size_t)3 * side * side;
    for (size_t i = 0; i < count && !status; i++) {
        mt_similarity similarity;
        if (!fit(landmarks + 2 * POINTS * i, side, &similarity))
            status = mt_fail(
                error, MTCNN_ERROR_ARGUMENT,
                "the landmarks of face %zu are not finite, all one point, or no face's", i);
        else if (!plan_part(&part, image, &similarity, side))
            memset(pixels + bytes * i, pad, bytes);
        else if (!make_part(&part, kernels, image, pad))
            status = mt_fail_memory(error, "an aligned crop", bytes);
        else
            sample(&part, &similarity, side, pixels + bytes * i);
    }
    mt_release(&part.pixels);
    mt_resizer_free(&part.resizer);
    return status;
}
