#include "video_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "atomic_file.h"
#include "ffmpeg.h"
#include "video_frame.h"

#define BUFFER_SIZE (1 << 16) /* bytes between FFmpeg and the file */
#define ROOM_STEP (1 << 20)   /* bytes for which the disk is asked at a time */
#define INDEX_SIZE (1 << 14)  /* bytes of the index that do not depend on its length, at most */
#define INDEX_ENTRY 64        /* bytes of a frame in it, at most */
#define X264_QUALITY "20"     /* "constant rate factor": 0 (lossless) to 51 */
#define MPEG4_QUALITY 4       /* quantiser: 1 (best) to 31 */

/* Ticks a second: whole for 24, 25, 30, 50, 60 frames a second; MPEG-4 allows 65535 at most. */
#define TICKS 60000

struct video_writer {
    struct atomic_file file;
    int cause;             /* errno of the first write that failed; 0: none */
    int64_t position, end; /* in the file: where the next byte goes, and behind the last one */
    int64_t given;         /* bytes to the container, which may hold them back */
    int64_t room;          /* bytes that the file has on the disk, or more */
    bool failed;           /* there is no more to add */
    struct message failure;
    AVFormatContext *format;
    AVStream *stream; /* format's */
    AVCodecContext *encoder;
    AVPacket *packet;
    AVFrame *frame;
    struct frame_scaler scaler;
    double rate;
    bool any_time;  /* as the container's */
    int64_t last;   /* time stamp of the frame before, the encoder's ticks */
    int64_t frames; /* that the file has */
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
    writer->position += (int64_t)written;
    if (writer->end < writer->position)
        writer->end = writer->position;
    return written == (size_t)count ? count : note_cause(writer);
}

static int64_t on_seek(void *opaque, int64_t offset, int whence)
{
    struct video_writer *writer = opaque;
    if (whence != SEEK_SET && whence != SEEK_CUR && whence != SEEK_END)
        return AVERROR(EINVAL); /* AVSEEK_SIZE */
    if (fseeko(writer->file.stream, (off_t)offset, whence))
        return note_cause(writer);
    writer->position = ftello(writer->file.stream);
    return writer->position;
}

#ifdef __APPLE__ /* which has no such function */
#define posix_fallocate(file, offset, size) ((void)(file), (void)(size), EOPNOTSUPP)
#endif

/*
 * Sees to it that the disk has room for a packet of so many bytes, and for the index behind it: 0,
 * or -1 where it has not. Where the system cannot tell, 0.
 */
static int make_room(struct video_writer *writer, int bytes)
{
    const int64_t entries = writer->any_time ? writer->frames : writer->last;
    const int64_t held = writer->end > writer->given ? writer->end : writer->given;
    const int64_t least = held + BUFFER_SIZE + bytes + INDEX_SIZE + INDEX_ENTRY * entries;
    writer->given += bytes + INDEX_ENTRY;
    if (least <= writer->room)
        return 0;
    const int file = fileno(writer->file.stream);
    writer->room = least + ROOM_STEP;
    int cause = posix_fallocate(file, 0, (off_t)writer->room);
    if (cause) {
        writer->room = least;
        cause = posix_fallocate(file, 0, (off_t)least);
    }
    if (cause != ENOSPC && cause != EFBIG && cause != EDQUOT)
        return 0;
    writer->cause = cause;
    return -1;
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

/* Removes what is written and frees *writer, which becomes NULL. */
static void abandon(struct video_writer **writer)
{
    struct atomic_file file = (*writer)->file;
    release(*writer);
    atomic_file_abandon(&file);
    *writer = NULL;
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
    new->any_time = container->any_time;
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
        abandon(writer);
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
        if (make_room(writer, packet->size)) {
            ffmpeg.av_packet_unref(packet);
            break;
        }
        code = ffmpeg.av_interleaved_write_frame(writer->format, packet);
        writer->frames += code >= 0 && !writer->cause;
    }
    if (code == AVERROR(EAGAIN) || code == AVERROR_EOF)
        code = 0;
    return code < 0 || writer->cause ? fail(writer, message, code) : 0;
}

int video_writer_add(struct video_writer *writer, const struct picture *picture, double seconds)
{
    writer->failed = writer->failed ||
                     frame_from_picture(&writer->scaler, picture, writer->frame, &writer->failure);
    if (writer->failed)
        return -1;
    const AVRational tick = writer->encoder->time_base;
    int64_t stamp = llround(seconds * tick.den / tick.num);
    if (stamp <= writer->last)
        stamp = writer->last + 1;
    writer->frame->pts = writer->last = stamp;
    writer->failed = encode(writer, writer->frame, &writer->failure);
    return writer->failed ? -1 : 0;
}

/* Writes what follows the frames. */
static void end_file(struct video_writer *writer)
{
    writer->format->pb->error = 0; /* there is room for this */
    writer->cause = 0;
    int code = ffmpeg.av_write_trailer(writer->format);
    ffmpeg.avio_flush(writer->format->pb);
    if (!writer->failed && (code < 0 || writer->cause))
        writer->failed = fail(writer, &writer->failure, code);
    fflush(writer->file.stream);
    clearerr(writer->file.stream); /* what is there is kept */
    if (writer->room > writer->end && ftruncate(fileno(writer->file.stream), (off_t)writer->end) &&
        !writer->failed)
        writer->failed = atomic_file_fail(&writer->failure, errno);
}

int video_writer_finish(struct video_writer **writer, struct message *message)
{
    struct video_writer *old = *writer;
    if (!old)
        return 0;
    old->failed = old->failed || encode(old, NULL, &old->failure);
    end_file(old);
    if (old->failed)
        message_set(message, "%.400s%s", old->failure.text,
                    old->frames ? "; it has the frames until there" : "");
    const bool failed = old->failed;
    if (!old->frames) {
        abandon(writer);
        return failed ? -1 : message_set(message, "cannot be written: no frame was encoded");
    }
    struct atomic_file file = old->file;
    release(old);
    *writer = NULL;
    if (failed) {
        struct message other; /* the first cause counts */
        atomic_file_commit(&file, &other);
        return -1;
    }
    return atomic_file_commit(&file, message);
}
