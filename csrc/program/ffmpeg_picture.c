#include "ffmpeg_picture.h"

#include <string.h>

#include "codec.h"

#ifdef MTCNN_FFMPEG
#include "ffmpeg.h"
#include "video_frame.h"
#define DECODER(name) AV_CODEC_ID_##name
#else /* no headers of FFmpeg where the program was built */
#define DECODER(name) 0
#endif

static const struct {
    const char *name;
    int decoder;
} formats[] = {[FFMPEG_BMP] = {"BMP", DECODER(BMP)},
               [FFMPEG_GIF] = {"GIF", DECODER(GIF)},
               [FFMPEG_TIFF] = {"TIFF", DECODER(TIFF)},
               [FFMPEG_WEBP] = {"WebP", DECODER(WEBP)}};

#ifdef MTCNN_FFMPEG

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

/* What the decoder makes of the bytes, as a picture. */
static int decode(struct picture *picture, AVCodecContext *decoder, AVPacket *packet,
                  AVFrame *frame, const uint8_t *bytes, size_t size, const char *name)
{
    struct size_check *check = decoder->opaque;
    struct message *message = check->message, task;
    ffmpeg_forget();
    int code = ffmpeg.avcodec_open2(decoder, decoder->codec, NULL);
    if (code >= 0)
        code = decode_frame(decoder, packet, frame, bytes, size);
    if (check->refused)
        return -1;
    message_set(&task, "cannot be read as %s", name);
    if (code >= 0 && ffmpeg_logged()) /* it gives a frame, but parts of it are wrong */
        code = AVERROR_INVALIDDATA;
    if (code < 0)
        return ffmpeg_fail(message, task.text, code);
    struct frame_scaler scaler = {0};
    int failed = frame_to_picture(&scaler, frame, picture, message);
    frame_scaler_free(&scaler);
    return failed;
}

int ffmpeg_picture(struct picture *picture, const uint8_t *bytes, size_t size,
                   enum ffmpeg_format format, double megapixels, struct message *message)
{
    struct message cause;
    const char *name = formats[format].name;
    if (ffmpeg_load(FFMPEG_PICTURES, &cause))
        return message_set(message, "is a %s picture, which %s", name, cause.text);
    const AVCodec *codec = ffmpeg.avcodec_find_decoder((enum AVCodecID)formats[format].decoder);
    if (!codec)
        return message_set(message, "is a %s picture, which this FFmpeg does not decode", name);

    AVCodecContext *decoder = ffmpeg.avcodec_alloc_context3(codec);
    AVPacket *packet = ffmpeg.av_packet_alloc();
    AVFrame *frame = ffmpeg.av_frame_alloc();
    struct size_check check = {megapixels, false, message};
    int failed;
    if (!decoder || !packet || !frame) {
        failed = message_set(message, "no memory for FFmpeg");
    } else {
        decoder->opaque = &check;
        decoder->get_buffer2 = get_buffer;
        decoder->thread_count = 1;
        failed = decode(picture, decoder, packet, frame, bytes, size, name);
    }
    ffmpeg.av_frame_free(&frame);
    ffmpeg.av_packet_free(&packet);
    ffmpeg.avcodec_free_context(&decoder);
    return failed;
}

#else

int ffmpeg_picture(struct picture *picture, const uint8_t *bytes, size_t size,
                   enum ffmpeg_format format, double megapixels, struct message *message)
{
    (void)picture, (void)bytes, (void)size, (void)megapixels;
    return message_set(message, CODEC_LEFT_OUT("%s", "FFmpeg", "FFMPEG"), formats[format].name);
}

#endif
