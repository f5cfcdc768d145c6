#include "video_frame.h"

#include <math.h>
#include <string.h>

/* Bytes, of rows: for libswscale's vector code, which may also pass their end. */
#define ALIGNMENT 64

/* The default for both ways: libswscale's fast conversions, which it also has for other sizes. */
#define FLAGS SWS_BICUBIC

/* The source's own matrix and range; where it names none libswscale's default (BT.601) stays. */
static void set_colors(struct SwsContext *context, int space, int range)
{
    int *source, *target, source_full, target_full, brightness, contrast, saturation;
    if (ffmpeg.sws_getColorspaceDetails(context, &source, &source_full, &target, &target_full,
                                        &brightness, &contrast, &saturation) < 0)
        return; /* no conversion between colour models */
    const int *matrix = space == AVCOL_SPC_UNSPECIFIED ? source : ffmpeg.sws_getCoefficients(space);
    ffmpeg.sws_setColorspaceDetails(context, matrix, source_full || range == AVCOL_RANGE_JPEG,
                                    target, target_full, brightness, contrast, saturation);
}

/* Makes scaler->context fit source and target. */
static int prepare(struct frame_scaler *scaler, const AVFrame *source, const AVFrame *target,
                   struct message *message)
{
    if (scaler->context && scaler->width == source->width && scaler->height == source->height &&
        scaler->format == source->format && scaler->space == (int)source->colorspace &&
        scaler->range == (int)source->color_range)
        return 0;
    ffmpeg.sws_freeContext(scaler->context);
    scaler->context = ffmpeg.sws_getContext(
        source->width, source->height, (enum AVPixelFormat)source->format, target->width,
        target->height, (enum AVPixelFormat)target->format, FLAGS, NULL, NULL, NULL);
    if (!scaler->context)
        return message_set(message, "has pixels of a format that libswscale does not convert");
    scaler->width = source->width;
    scaler->height = source->height;
    scaler->format = source->format;
    scaler->space = (int)source->colorspace;
    scaler->range = (int)source->color_range;
    if (source->format != AV_PIX_FMT_RGB24)
        set_colors(scaler->context, scaler->space, scaler->range);
    return 0;
}

/* scaler->rgb of this size. */
static int prepare_rgb(struct frame_scaler *scaler, int width, int height, struct message *message)
{
    AVFrame *rgb = scaler->rgb;
    if (rgb && rgb->width == width && rgb->height == height)
        return 0;
    ffmpeg.av_frame_free(&scaler->rgb);
    scaler->rgb = rgb = ffmpeg.av_frame_alloc();
    if (!rgb)
        return message_set(message, "no memory for a frame");
    rgb->width = width;
    rgb->height = height;
    rgb->format = AV_PIX_FMT_RGB24;
    int code = ffmpeg.av_frame_get_buffer(rgb, ALIGNMENT);
    return code < 0 ? ffmpeg_fail(message, "no memory for a frame", code) : 0;
}

static int scale(struct frame_scaler *scaler, const AVFrame *source, AVFrame *target,
                 struct message *message)
{
    if (prepare(scaler, source, target, message))
        return -1;
    int rows = ffmpeg.sws_scale(scaler->context, (const uint8_t *const *)source->data,
                                source->linesize, 0, source->height, target->data,
                                target->linesize);
    return rows < 0 ? ffmpeg_fail(message, "a frame's pixels cannot be converted", rows) : 0;
}

int frame_to_picture(struct frame_scaler *scaler, const AVFrame *frame, struct picture *picture,
                     struct message *message)
{
    if (picture->width != frame->width || picture->height != frame->height) {
        picture_free(picture);
        if (picture_allocate(picture, (size_t)frame->width, (size_t)frame->height, message))
            return -1;
    }
    if (prepare_rgb(scaler, frame->width, frame->height, message) ||
        scale(scaler, frame, scaler->rgb, message))
        return -1;
    const size_t row = 3 * (size_t)picture->width;
    for (int y = 0; y < picture->height; y++)
        memcpy(picture->pixels + (size_t)y * row,
               scaler->rgb->data[0] + (ptrdiff_t)y * scaler->rgb->linesize[0], row);
    return 0;
}

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

/* Copies the picture to scaler->rgb, which has its size. */
static void copy_rows(struct frame_scaler *scaler, const struct picture *picture)
{
    const size_t row = 3 * (size_t)picture->width;
    for (int y = 0; y < picture->height; y++)
        memcpy(scaler->rgb->data[0] + (ptrdiff_t)y * scaler->rgb->linesize[0],
               picture->pixels + (size_t)y * row, row);
}

/* Scales the picture to width x height in the middle of scaler->rgb, all else of which is black. */
static int fit(struct frame_scaler *scaler, const struct picture *picture, int width, int height,
               struct message *message)
{
    const AVFrame *rgb = scaler->rgb;
    if (!scaler->fit || scaler->fit_width != picture->width ||
        scaler->fit_height != picture->height) {
        ffmpeg.sws_freeContext(scaler->fit);
        scaler->fit = ffmpeg.sws_getContext(picture->width, picture->height, AV_PIX_FMT_RGB24,
                                            width, height, AV_PIX_FMT_RGB24, FLAGS, NULL, NULL,
                                            NULL);
        if (!scaler->fit)
            return message_set(message, "has a frame that libswscale does not scale");
        scaler->fit_width = picture->width;
        scaler->fit_height = picture->height;
    }
    memset(rgb->data[0], 0, (size_t)rgb->linesize[0] * (size_t)rgb->height);
    const int left = (rgb->width - width) / 2, top = (rgb->height - height) / 2;
    const uint8_t *const source[4] = {picture->pixels};
    uint8_t *const target[4] = {rgb->data[0] + (ptrdiff_t)top * rgb->linesize[0] + 3 * left};
    const int source_row[4] = {3 * picture->width}, target_row[4] = {rgb->linesize[0]};
    int rows = ffmpeg.sws_scale(scaler->fit, source, source_row, 0, picture->height, target,
                                target_row);
    return rows < 0 ? ffmpeg_fail(message, "a frame's pixels cannot be converted", rows) : 0;
}

int frame_from_picture(struct frame_scaler *scaler, const struct picture *picture, AVFrame *frame,
                       struct message *message)
{
    int code = ffmpeg.av_frame_make_writable(frame);
    if (code < 0)
        return ffmpeg_fail(message, "no memory for a frame", code);
    const double ratio = fmin((double)frame->width / picture->width,
                              (double)frame->height / picture->height);
    const int width = smaller((int)lround(ratio * picture->width), frame->width);
    const int height = smaller((int)lround(ratio * picture->height), frame->height);
    if (frame->width - width < 2 && frame->height - height < 2) { /* the same proportions */
        if (prepare_rgb(scaler, picture->width, picture->height, message))
            return -1;
        copy_rows(scaler, picture);
    } else if (prepare_rgb(scaler, frame->width, frame->height, message) ||
               fit(scaler, picture, width > 0 ? width : 1, height > 0 ? height : 1, message)) {
        return -1;
    }
    return scale(scaler, scaler->rgb, frame, message);
}

void frame_scaler_free(struct frame_scaler *scaler)
{
    if (scaler->context) /* else FFmpeg may not be loaded */
        ffmpeg.sws_freeContext(scaler->context);
    if (scaler->fit)
        ffmpeg.sws_freeContext(scaler->fit);
    if (scaler->rgb)
        ffmpeg.av_frame_free(&scaler->rgb);
    *scaler = (struct frame_scaler){0};
}
