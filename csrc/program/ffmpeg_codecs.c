/* ffmpeg_codecs.c: pictures in other formats than JPEG and PNG, by FFmpeg's decoders. */
#include <string.h>

#include "codec.h"
#include "exif.h"

#ifdef MTCNN_FFMPEG

#include "ffmpeg.h"
#include "video_frame.h"

#define DECODER(name) AV_CODEC_ID_##name

/* What the decoder asks for when it wants memory for the pixels. */
struct size_check {
    double megapixels; /* the most that are read */
    bool refused;      /* for a reason that is in *message */
    struct message *message;
};

static int get_buffer(AVCodecContext *decoder, AVFrame *frame, int flags)
{
    struct size_check *check = decoder->opaque;
    check->refused = picture_check_size((size_t)frame->width, (size_t)frame->height,
                                        check->megapixels, check->message);
    return check->refused ? AVERROR(EINVAL)
                          : ffmpeg.avcodec_default_get_buffer2(decoder, frame, flags);
}

static int decode_frame(AVCodecContext *decoder, AVPacket *packet, AVFrame *frame,
                        const uint8_t *bytes, size_t size)
{
    int code = ffmpeg.av_new_packet(packet, (int)size);
    if (code < 0)
        return code;
    memcpy(packet->data, bytes, size);
    code = ffmpeg.avcodec_send_packet(decoder, packet);
    if (code < 0)
        return code;
    ffmpeg.avcodec_send_packet(decoder, NULL);
    return ffmpeg.avcodec_receive_frame(decoder, frame);
}

static int decode(struct picture *picture, const uint8_t *bytes, size_t size, enum AVCodecID id,
                  const char *name, double megapixels, struct message *message)
{
    struct message cause;
    if (ffmpeg_load(FFMPEG_PICTURES, &cause))
        return message_set(message, "is a %s picture, which %s", name, cause.text);
    if (size > INT_MAX - AV_INPUT_BUFFER_PADDING_SIZE)
        return message_set(message, "is too large: 2 GB are the limit");
    const AVCodec *codec = ffmpeg.avcodec_find_decoder(id);
    if (!codec)
        return message_set(message, "is a %s picture, which this FFmpeg does not decode", name);

    AVCodecContext *decoder = ffmpeg.avcodec_alloc_context3(codec);
    AVPacket *packet = ffmpeg.av_packet_alloc();
    AVFrame *frame = ffmpeg.av_frame_alloc();
    struct frame_scaler scaler = {0};
    struct size_check check = {megapixels, false, message};
    int failed = 0;
    if (!decoder || !packet || !frame) {
        failed = message_set(message, "no memory for FFmpeg");
    } else {
        ffmpeg_forget();
        decoder->opaque = &check;
        decoder->get_buffer2 = get_buffer;
        decoder->thread_count = 1;
        int code = ffmpeg.avcodec_open2(decoder, codec, NULL);
        if (code >= 0)
            code = decode_frame(decoder, packet, frame, bytes, size);
        struct message task;
        message_set(&task, code < 0 ? "cannot be read as %s" : "is a damaged %s picture", name);
        if (check.refused)
            failed = -1;
        else if (code < 0)
            failed = ffmpeg_fail(message, task.text, code);
        else if (ffmpeg_logged()) /* a warning: parts are wrong */
            ffmpeg_fail(message, task.text, AVERROR_INVALIDDATA);
        if (!failed)
            failed = frame_to_picture(&scaler, frame, picture, message);
    }
    frame_scaler_free(&scaler);
    ffmpeg.av_frame_free(&frame);
    ffmpeg.av_packet_free(&packet);
    ffmpeg.avcodec_free_context(&decoder);
    return failed;
}

#else /* no headers of FFmpeg where the program was built */

#define DECODER(name) 0

static int decode(struct picture *picture, const uint8_t *bytes, size_t size, int id,
                  const char *name, double megapixels, struct message *message)
{
    (void)picture, (void)bytes, (void)size, (void)id, (void)megapixels;
    return message_set(message, CODEC_LEFT_OUT("%s", "FFmpeg", "FFMPEG"), name);
}

#endif

/* ---- WebP ------------------------------------------------------------------------------------ */

/* The orientation in a RIFF file's EXIF chunk; 1 where there is none. */
static int webp_orientation(const uint8_t *bytes, size_t size)
{
    for (size_t at = 12; at + 8 <= size;) {
        const uint8_t *chunk = bytes + at;
        const size_t length = chunk[4] | (size_t)chunk[5] << 8 | (size_t)chunk[6] << 16 |
                              (size_t)chunk[7] << 24;
        if (length > size - at - 8)
            break;
        if (!memcmp(chunk, "EXIF", 4)) {
            int orientation = exif_orientation_app1(chunk + 8, length); /* as some write it */
            return orientation ? orientation : exif_orientation(chunk + 8, length);
        }
        at += 8 + length + (length & 1);
    }
    return 1;
}

static int webp_decode(struct picture *picture, int *orientation, const uint8_t *bytes, size_t size,
                       double megapixels, struct message *message)
{
    *orientation = webp_orientation(bytes, size);
    int failed = decode(picture, bytes, size, DECODER(WEBP), "WebP", megapixels, message);
    if (!failed) /* damaged pixels make it fail; what else it logs is about Exif data */
        message->text[0] = '\0';
    return failed;
}

const struct codec webp_codec = {.extensions = {".webp", NULL},
                                 .magic_length = 12,
                                 .magic = "RIFF????WEBP",
                                 .decode = webp_decode};

/* ---- BMP, TIFF, GIF -------------------------------------------------------------------------- */

static int bmp_decode(struct picture *picture, int *orientation, const uint8_t *bytes, size_t size,
                      double megapixels, struct message *message)
{
    *orientation = 1;
    return decode(picture, bytes, size, DECODER(BMP), "BMP", megapixels, message);
}

const struct codec bmp_codec = {.extensions = {".bmp", NULL},
                                .magic_length = 10,
                                .magic = "BM????\0\0\0\0",
                                .decode = bmp_decode};

static int tiff_decode(struct picture *picture, int *orientation, const uint8_t *bytes, size_t size,
                       double megapixels, struct message *message)
{
    *orientation = exif_orientation(bytes, size);
    return decode(picture, bytes, size, DECODER(TIFF), "TIFF", megapixels, message);
}

const struct codec tiff_codec = {.extensions = {".tif", ".tiff", NULL},
                                 .magic_length = 4,
                                 .magic = "II*\0",
                                 .decode = tiff_decode};
const struct codec big_endian_tiff_codec = {
    .magic_length = 4, .magic = "MM\0*", .decode = tiff_decode};

static int gif_decode(struct picture *picture, int *orientation, const uint8_t *bytes, size_t size,
                      double megapixels, struct message *message)
{
    *orientation = 1;
    return decode(picture, bytes, size, DECODER(GIF), "GIF", megapixels, message);
}

const struct codec gif_codec = {
    .extensions = {".gif", NULL}, .magic_length = 6, .magic = "GIF8?a", .decode = gif_decode};
