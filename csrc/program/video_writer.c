#include "video_writer.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "atomic_file.h"
#include "ffmpeg.h"
#include "video_frame.h"

#define BUFFER_SIZE (1 << 16) /* bytes between FFmpeg and the file */
#define X264_QUALITY "20"     /* "constant rate factor": 0 (lossless) to 51 */
#define MPEG4_QUALITY 4       /* quantiser: 1 (best) to 31 */

/* Ticks a second: whole for 24, 25, 30, 50, 60 frames a second; MPEG-4 allows 65535 at most. */
#define TICKS 60000

struct video_writer {
    struct atomic_file file;
    int cause; /* errno of the first write that failed; 0: none */
    AVFormatContext *format;
    AVStream *stream; /* format's */
    AVCodecContext *encoder;
    AVPacket *packet;
    AVFrame *frame;
    struct frame_scaler scaler;
    double rate;
    int64_t last; /* time stamp of the frame before, the encoder's ticks */
};

/* ---- the container, by the path's extension -------------------------------------------------- */

static const struct container {
    const char *extension;
    const char *format; /* FFmpeg's name */
    bool any_time;      /* frames may come at any time; else one at each tick of the rate */
    bool h264;          /* is usual there */
} containers[] = {
    {".mp4", "mp4", true, true}, {".mkv", "matroska", true, true}, {".avi", "avi", false, false}};

static const struct container *container_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *dot = strrchr(slash ? slash : path, '.');
    for (size_t i = 0; dot && i < sizeof containers / sizeof *containers; i++)
        if (!strcasecmp(dot, containers[i].extension))
            return &containers[i];
    return NULL;
}

int video_writable(const char *path, struct message *message)
{
    if (container_of(path))
        return 0;
    return message_set(message, "cannot be written: a video's name must end in .mp4, .mkv or .avi");
}

/* ---- the file, as FFmpeg sees it ------------------------------------------------------------- */

#if LIBAVFORMAT_VERSION_MAJOR < 61
typedef uint8_t written_byte;
#else
typedef const uint8_t written_byte;
#endif

static int note_cause(struct video_writer *writer)
{
    if (!writer->cause)
        writer->cause = errno;
    return AVERROR(writer->cause);
}

static int on_write(void *opaque, written_byte *bytes, int count)
{
    struct video_writer *writer = opaque;
    size_t written = fwrite(bytes, 1, (size_t)count, writer->file.stream);
    return written == (size_t)count ? count : note_cause(writer);
}

static int64_t on_seek(void *opaque, int64_t offset, int whence)
{
    struct video_writer *writer = opaque;
    if (whence != SEEK_SET && whence != SEEK_CUR && whence != SEEK_END)
        return AVERROR(EINVAL); /* AVSEEK_SIZE */
    if (fseeko(writer->file.stream, (off_t)offset, whence))
        return note_cause(writer);
    return ftello(writer->file.stream);
}

/* ---- opening --------------------------------------------------------------------------------- */

static int open_container(struct video_writer *writer, const char *format, struct message *message)
{
    int code = ffmpeg.avformat_alloc_output_context2(&writer->format, NULL, format,
                                                     writer->file.path);
    if (code < 0)
        return ffmpeg_fail(message, "cannot be written", code);
    uint8_t *buffer = ffmpeg.av_malloc(BUFFER_SIZE);
    if (buffer)
        writer->format->pb = ffmpeg.avio_alloc_context(buffer, BUFFER_SIZE, 1, writer, NULL,
                                                       on_write, on_seek);
    if (!writer->format->pb) {
        ffmpeg.av_freep(&buffer);
        return message_set(message, "no memory for FFmpeg");
    }
    writer->format->flags |= AVFMT_FLAG_CUSTOM_IO;
    writer->stream = ffmpeg.avformat_new_stream(writer->format, NULL);
    return writer->stream ? 0 : message_set(message, "no memory for FFmpeg");
}

static int open_encoder(struct video_writer *writer, const struct container *container,
                        const struct video_form *form, struct message *message)
{
    const AVCodec *x264 = container->h264 ? ffmpeg.avcodec_find_encoder_by_name("libx264") : NULL;
    const AVCodec *codec = x264 ? x264 : ffmpeg.avcodec_find_encoder(AV_CODEC_ID_MPEG4);
    if (!codec)
        return message_set(message, "cannot be written: this FFmpeg has neither libx264 nor mpeg4");
    AVCodecContext *encoder = writer->encoder = ffmpeg.avcodec_alloc_context3(codec);
    if (!encoder)
        return message_set(message, "no memory for FFmpeg");
    const AVRational rate = ffmpeg.av_d2q(form->rate, 65535);
    encoder->width = form->width & ~1; /* as 4:2:0 wants it */
    encoder->height = form->height & ~1;
    encoder->pix_fmt = AV_PIX_FMT_YUV420P;
    encoder->colorspace = AVCOL_SPC_SMPTE170M; /* what libswscale makes of RGB: BT.601 */
    encoder->color_range = AVCOL_RANGE_MPEG;
    encoder->framerate = rate;
    encoder->time_base = container->any_time ? (AVRational){1, TICKS}
                                             : (AVRational){rate.den, rate.num};
    encoder->thread_count = form->threads;
    if (writer->format->oformat->flags & AVFMT_GLOBALHEADER)
        encoder->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    if (x264) {
        ffmpeg.av_opt_set(encoder->priv_data, "preset", "veryfast", 0);
        ffmpeg.av_opt_set(encoder->priv_data, "crf", X264_QUALITY, 0);
    } else {
        encoder->flags |= AV_CODEC_FLAG_QSCALE;
        encoder->global_quality = MPEG4_QUALITY * FF_QP2LAMBDA;
    }
    int code = ffmpeg.avcodec_open2(encoder, codec, NULL);
    if (code >= 0)
        code = ffmpeg.avcodec_parameters_from_context(writer->stream->codecpar, encoder);
    return code < 0 ? ffmpeg_fail(message, "cannot be written: the encoder refuses", code) : 0;
}

static int open_frame(struct video_writer *writer, struct message *message)
{
    AVFrame *frame = writer->frame = ffmpeg.av_frame_alloc();
    writer->packet = ffmpeg.av_packet_alloc();
    if (!frame || !writer->packet)
        return message_set(message, "no memory for FFmpeg");
    frame->width = writer->encoder->width;
    frame->height = writer->encoder->height;
    frame->format = writer->encoder->pix_fmt;
    int code = ffmpeg.av_frame_get_buffer(frame, 0);
    return code < 0 ? ffmpeg_fail(message, "no memory for a frame", code) : 0;
}

/* Says why writing failed: what the system said about the file, or else FFmpeg's code. */
static int fail(struct video_writer *writer, struct message *message, int code)
{
    if (!writer->cause)
        return ffmpeg_fail(message, "cannot be written", code);
    return atomic_file_fail(message, writer->cause);
}

int video_writer_open(struct video_writer **writer, const char *path, const struct video_form *form,
                      struct message *message)
{
    *writer = NULL;
    if (video_writable(path, message) || ffmpeg_load(FFMPEG_VIDEOS, message))
        return -1;
    if (atomic_file_is_stream(path))
        return message_set(message,
                           "cannot be written: is a pipe or device, where a file is needed");
    if (form->width < 2 || form->height < 2)
        return message_set(message, "cannot be written: a video needs 2 x 2 pixels at least");
    struct video_writer *new = calloc(1, sizeof *new);
    if (!new)
        return message_set(message, "no memory");
    if (atomic_file_open(&new->file, path, message)) {
        free(new);
        return -1;
    }
    const struct container *container = container_of(path);
    new->rate = form->rate;
    new->last = -1;
    int failed = open_container(new, container->format, message) ||
                 open_encoder(new, container, form, message) || open_frame(new, message);
    if (!failed) {
        new->stream->time_base = new->encoder->time_base;
        new->stream->avg_frame_rate = new->encoder->framerate;
        int code = ffmpeg.avformat_write_header(new->format, NULL);
        failed = code < 0 ? fail(new, message, code) : 0;
    }
    *writer = new;
    if (failed)
        video_writer_abandon(writer);
    return failed ? -1 : 0;
}

/* ---- writing --------------------------------------------------------------------------------- */

/* Gives the encoder a frame (NULL: there are no more) and the file what it makes of it. */
static int encode(struct video_writer *writer, const AVFrame *frame, struct message *message)
{
    int code = ffmpeg.avcodec_send_frame(writer->encoder, frame);
    AVPacket *packet = writer->packet;
    while (code >= 0 && (code = ffmpeg.avcodec_receive_packet(writer->encoder, packet)) >= 0) {
        if (!packet->duration)
            packet->duration = llround(1 / writer->rate * writer->encoder->time_base.den /
                                       writer->encoder->time_base.num);
        packet->stream_index = writer->stream->index;
        ffmpeg.av_packet_rescale_ts(packet, writer->encoder->time_base, writer->stream->time_base);
        code = ffmpeg.av_interleaved_write_frame(writer->format, packet);
    }
    if (code == AVERROR(EAGAIN) || code == AVERROR_EOF)
        code = 0;
    return code < 0 || writer->cause ? fail(writer, message, code) : 0;
}

int video_writer_add(struct video_writer *writer, const struct picture *picture, double seconds,
                     struct message *message)
{
    if (frame_from_picture(&writer->scaler, picture, writer->frame, message))
        return -1;
    const AVRational tick = writer->encoder->time_base;
    int64_t stamp = llround(seconds * tick.den / tick.num);
    if (stamp <= writer->last)
        stamp = writer->last + 1;
    writer->frame->pts = writer->last = stamp;
    return encode(writer, writer->frame, message);
}

/* Frees everything but the file. */
static void release(struct video_writer *writer)
{
    frame_scaler_free(&writer->scaler);
    ffmpeg.av_frame_free(&writer->frame);
    ffmpeg.av_packet_free(&writer->packet);
    ffmpeg.avcodec_free_context(&writer->encoder);
    if (writer->format) {
        if (writer->format->pb)
            ffmpeg.av_freep(&writer->format->pb->buffer);
        ffmpeg.avio_context_free(&writer->format->pb);
        ffmpeg.avformat_free_context(writer->format);
    }
    free(writer);
}

int video_writer_finish(struct video_writer **writer, struct message *message)
{
    struct video_writer *old = *writer;
    int failed = encode(old, NULL, message);
    if (!failed) {
        int code = ffmpeg.av_write_trailer(old->format);
        ffmpeg.avio_flush(old->format->pb);
        failed = code < 0 || old->cause ? fail(old, message, code) : 0;
    }
    if (failed) {
        video_writer_abandon(writer);
        return -1;
    }
    struct atomic_file file = old->file;
    release(old);
    *writer = NULL;
    return atomic_file_commit(&file, message);
}

void video_writer_abandon(struct video_writer **writer)
{
    if (!*writer)
        return;
    struct atomic_file file = (*writer)->file;
    release(*writer);
    atomic_file_abandon(&file);
    *writer = NULL;
}
