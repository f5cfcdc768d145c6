#include "video_reader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ffmpeg.h"
#include "interrupt.h"
#include "seconds.h"
#include "video_frame.h"

#define DEFAULT_RATE 25.0        /* frames a second, where the source does not say */
#define POLL_NANOSECONDS 2000000 /* between two questions to a camera without a frame */

struct video_reader {
    const struct video_source *source;
    AVFormatContext *format;
    AVStream *stream; /* the one of video that is read; format's */
    AVCodecContext *decoder;
    AVPacket *packet;
    AVFrame *frame;
    struct frame_scaler scaler;
    int orientation;            /* as EXIF has it, 1..8 */
    double deadline;            /* seconds_now() at which waiting ends */
    bool timed_out;             /* it did */
    double rate;                /* frames a second */
    double first;               /* time stamp of the first frame, seconds */
    double seconds;             /* of the frame before, since the first */
    int64_t packets;            /* of stream, read so far */
    int64_t frames;             /* decoded so far */
    long damaged;               /* frames that could not be decoded, or in part */
    struct message first_error; /* what the first of them has, or why reading ended */
    bool broken;                /* reading ended too early */
};

/* ---- time ------------------------------------------------------------------------------------ */

static void start_waiting(struct video_reader *reader)
{
    reader->deadline = seconds_now() + reader->source->timeout;
}

/* FFmpeg asks this while it waits; 1 makes it give up. */
static int must_stop(void *opaque)
{
    struct video_reader *reader = opaque;
    if (interrupt_caught())
        return 1;
    reader->timed_out = reader->timed_out || seconds_now() > reader->deadline;
    return reader->timed_out;
}

/* What stopped FFmpeg: the clock, or code. */
static int fail(const struct video_reader *reader, struct message *message, const char *task,
                int code)
{
    if (!reader->timed_out)
        return ffmpeg_fail(message, task, code);
    return message_set(message,
                       "gave nothing for %g seconds; check it, or wait longer with --timeout",
                       reader->source->timeout);
}

/* ---- opening --------------------------------------------------------------------------------- */

/* The URL by which FFmpeg opens the source, to be freed; NULL with the cause. */
static char *url_of(const struct video_source *source, struct message *message)
{
    const char *name = source->name, *scheme = "";
    if (!strcmp(name, "-")) {
        name = "pipe:0";
    } else if (!source->camera && !strstr(name, "://")) {
        struct stat status; /* opening it here would end who writes into a named pipe */
        if (stat(name, &status) || access(name, R_OK)) {
            message_set(message, "cannot be opened: %s", strerror(errno));
            return NULL;
        }
        if (S_ISDIR(status.st_mode)) {
            message_set(message, "is a folder; name a video in it");
            return NULL;
        }
        if (S_ISREG(status.st_mode) && !status.st_size) {
            message_set(message, "is an empty file");
            return NULL;
        }
        scheme = "file:"; /* or a:b.mp4 would be taken for an address */
    }
    size_t size = strlen(scheme) + strlen(name) + 1;
    char *url = malloc(size);
    if (url)
        snprintf(url, size, "%s%s", scheme, name);
    else
        message_set(message, "no memory for the path");
    return url;
}

static int open_format(struct video_reader *reader, const char *url, struct message *message)
{
    const bool camera = reader->source->camera;
    reader->format = ffmpeg.avformat_alloc_context();
    if (!reader->format)
        return message_set(message, "no memory for FFmpeg");
    reader->format->interrupt_callback = (AVIOInterruptCB){must_stop, reader};
    if (camera) /* v4l2 would wait without asking must_stop */
        reader->format->flags |= AVFMT_FLAG_NONBLOCK;
    AVDictionary *options = NULL;
    ffmpeg.av_dict_set(&options, "rtsp_flags", "prefer_tcp", 0); /* loses no packets */

    start_waiting(reader);
    int code = ffmpeg.avformat_open_input(
        &reader->format, url, camera ? ffmpeg.av_find_input_format("v4l2") : NULL, &options);
    ffmpeg.av_dict_free(&options);
    if (code < 0)
        return fail(reader, message,
                    camera                        ? "cannot be used as a camera"
                    : code == AVERROR_INVALIDDATA ? "is no video, or a damaged one"
                                                  : "cannot be opened",
                    code);
    if (camera)
        return 0; /* the driver has said everything, and looking would drop frames */
    code = ffmpeg.avformat_find_stream_info(reader->format, NULL);
    return code < 0 ? fail(reader, message, "cannot be read", code) : 0;
}

/* EXIF's name for a display matrix that turns by quarters and mirrors. */
static int orientation_of(const int32_t *matrix)
{
    if (!matrix)
        return 1;
    const int32_t x_to_x = matrix[0], x_to_y = matrix[1], y_to_x = matrix[3], y_to_y = matrix[4];
    if (llabs(x_to_x) + llabs(y_to_y) >= llabs(x_to_y) + llabs(y_to_x))
        return x_to_x >= 0 ? (y_to_y >= 0 ? 1 : 4) : (y_to_y >= 0 ? 2 : 3);
    return x_to_y >= 0 ? (y_to_x >= 0 ? 5 : 6) : (y_to_x >= 0 ? 8 : 7);
}

static const int32_t *display_matrix(const AVStream *stream)
{
#if FFMPEG_OLD_SIDE_DATA
    return (const int32_t *)(const void *)ffmpeg.av_stream_get_side_data(
        stream, AV_PKT_DATA_DISPLAYMATRIX, NULL);
#else
    const AVCodecParameters *parameters = stream->codecpar;
    for (int i = 0; i < parameters->nb_coded_side_data; i++)
        if (parameters->coded_side_data[i].type == AV_PKT_DATA_DISPLAYMATRIX)
            return (const int32_t *)(const void *)parameters->coded_side_data[i].data;
    return NULL;
#endif
}

static int choose_stream(struct video_reader *reader, struct message *message)
{
    AVFormatContext *format = reader->format;
    int video = ffmpeg.av_find_best_stream(format, AVMEDIA_TYPE_VIDEO, -1, -1, NULL, 0);
    if (video < 0 || format->streams[video]->disposition & AV_DISPOSITION_ATTACHED_PIC) {
        int audio = ffmpeg.av_find_best_stream(format, AVMEDIA_TYPE_AUDIO, -1, -1, NULL, 0);
        return message_set(message, "has no video stream%s", audio < 0 ? "" : ", only sound");
    }
    /* Any text is "tty" art to FFmpeg. */
    if (!strcmp(format->iformat->name, "tty"))
        return message_set(message, "is no video but text");
    for (unsigned i = 0; i < format->nb_streams; i++)
        if ((int)i != video)
            format->streams[i]->discard = AVDISCARD_ALL;
    reader->stream = format->streams[video];
    AVRational rate = ffmpeg.av_guess_frame_rate(format, reader->stream, NULL);
    reader->rate = rate.num > 0 && rate.den > 0 ? (double)rate.num / rate.den : DEFAULT_RATE;
    reader->orientation = orientation_of(display_matrix(reader->stream));
    return 0;
}

static int open_decoder(struct video_reader *reader, struct message *message)
{
    const AVCodecParameters *parameters = reader->stream->codecpar;
    const AVCodec *codec = ffmpeg.avcodec_find_decoder(parameters->codec_id);
    if (!codec)
        return message_set(message, "is %s video, which this FFmpeg does not decode",
                           ffmpeg.avcodec_get_name(parameters->codec_id));
    if (parameters->width > 0 && parameters->height > 0 && /* else the first frame shows it */
        picture_check_size((size_t)parameters->width, (size_t)parameters->height,
                           reader->source->megapixels, message))
        return -1;
    reader->decoder = ffmpeg.avcodec_alloc_context3(codec);
    reader->packet = ffmpeg.av_packet_alloc();
    reader->frame = ffmpeg.av_frame_alloc();
    if (!reader->decoder || !reader->packet || !reader->frame)
        return message_set(message, "no memory for FFmpeg");
    int code = ffmpeg.avcodec_parameters_to_context(reader->decoder, parameters);
    if (code >= 0) {
        reader->decoder->thread_count = reader->source->threads;
        reader->decoder->pkt_timebase = reader->stream->time_base;
        reader->decoder->max_pixels = (int64_t)(1e6 * reader->source->megapixels);
        code = ffmpeg.avcodec_open2(reader->decoder, codec, NULL);
    }
    return code < 0 ? ffmpeg_fail(message, "cannot be decoded", code) : 0;
}

int video_reader_open(struct video_reader **reader, const struct video_source *source,
                      struct message *message)
{
    *reader = NULL;
    char *url = url_of(source, message);
    if (!url)
        return -1;
    int failed = ffmpeg_load(source->camera ? FFMPEG_CAMERAS : FFMPEG_VIDEOS, message);
    if (!failed) {
        *reader = calloc(1, sizeof **reader);
        failed = *reader ? 0 : message_set(message, "no memory");
    }
    if (!failed) {
        (*reader)->source = source;
        failed = open_format(*reader, url, message) || choose_stream(*reader, message) ||
                 open_decoder(*reader, message);
    }
    free(url);
    if (failed)
        video_reader_free(reader);
    return failed ? -1 : 0;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* The next packet of any stream; FFmpeg's code. */
static int read_packet(struct video_reader *reader)
{
    const struct timespec pause = {0, POLL_NANOSECONDS};
    start_waiting(reader);
    ffmpeg_forget(); /* note_end() asks what this very packet's reading has logged */
    for (;;) {
        int code = ffmpeg.av_read_frame(reader->format, reader->packet);
        if (code != AVERROR(EAGAIN))
            return code;
        if (must_stop(reader))
            return AVERROR_EXIT;
        nanosleep(&pause, NULL);
    }
}

/* Notes why the source ended, where that was too early. */
static void note_end(struct video_reader *reader, int code)
{
    const int64_t expected = reader->stream->nb_frames;
    if (interrupt_caught())
        return;
    if (code == AVERROR_EOF && reader->format->pb && reader->format->pb->error < 0)
        code = reader->format->pb->error;
    if (code != AVERROR_EOF || ffmpeg_logged()) {
        fail(reader, &reader->first_error, "breaks off", code);
        reader->broken = true;
    } else if (reader->packets < expected) {
        message_set(&reader->first_error,
                    "breaks off after %lld of %lld frames: the end of the file is missing",
                    (long long)reader->packets, (long long)expected);
        reader->broken = true;
    }
}

static void note_damage(struct video_reader *reader, int code)
{
    if (!reader->damaged++)
        ffmpeg_fail(&reader->first_error, "damaged", code);
}

/* Gives the decoder the next packet, or NULL when there are no more. */
static void send_packet(struct video_reader *reader)
{
    int code;
    do {
        ffmpeg.av_packet_unref(reader->packet);
        code = read_packet(reader);
    } while (code >= 0 && reader->packet->stream_index != reader->stream->index);
    if (code < 0) {
        note_end(reader, code);
        ffmpeg.avcodec_send_packet(reader->decoder, NULL);
        return;
    }
    reader->packets++;
    code = ffmpeg.avcodec_send_packet(reader->decoder, reader->packet);
    if (code < 0)
        note_damage(reader, code);
    ffmpeg.av_packet_unref(reader->packet);
}

static double seconds_of(struct video_reader *reader)
{
    const int64_t stamp = reader->frame->best_effort_timestamp;
    const AVRational base = reader->stream->time_base;
    const double next = reader->seconds + 1 / reader->rate;
    const bool first = reader->frames++ == 0;
    if (stamp == AV_NOPTS_VALUE)
        return first ? 0 : next;
    double seconds = (double)stamp * base.num / base.den;
    if (first)
        reader->first = seconds;
    seconds -= reader->first;
    return first || seconds > reader->seconds ? seconds : next;
}

int video_reader_next(struct video_reader *reader, double *seconds, struct message *message)
{
    for (;;) {
        if (interrupt_caught())
            return 0;
        int code = ffmpeg.avcodec_receive_frame(reader->decoder, reader->frame);
        if (code >= 0) {
            if (reader->frame->decode_error_flags || reader->frame->flags & AV_FRAME_FLAG_CORRUPT)
                note_damage(reader, AVERROR_INVALIDDATA);
            *seconds = reader->seconds = seconds_of(reader);
            return 1;
        }
        if (code == AVERROR_EOF)
            break;
        if (code == AVERROR(EAGAIN))
            send_packet(reader);
        else
            note_damage(reader, code);
    }
    if (reader->broken)
        return message_set(message, "%s", reader->first_error.text);
    if (reader->damaged)
        return message_set(message, "%ld of %lld frames are %s", reader->damaged,
                           (long long)reader->packets, reader->first_error.text);
    return 0;
}

int video_reader_picture(struct video_reader *reader, struct picture *picture,
                         struct message *message)
{
    return frame_to_picture(&reader->scaler, reader->frame, picture, message) ||
                   picture_orient(picture, reader->orientation, message)
               ? -1
               : 0;
}

double video_reader_rate(const struct video_reader *reader)
{
    return reader->rate;
}

long video_reader_count(const struct video_reader *reader)
{
    return (long)reader->stream->nb_frames;
}

void video_reader_free(struct video_reader **reader)
{
    if (!*reader)
        return;
    frame_scaler_free(&(*reader)->scaler);
    ffmpeg.av_frame_free(&(*reader)->frame);
    ffmpeg.av_packet_free(&(*reader)->packet);
    ffmpeg.avcodec_free_context(&(*reader)->decoder);
    ffmpeg.avformat_close_input(&(*reader)->format);
    free(*reader);
    *reader = NULL;
}
