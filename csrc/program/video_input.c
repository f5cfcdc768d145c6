#include "video_input.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "interrupt.h"
#include "mtcnn.h"
#include "seconds.h"

#define POLL_NANOSECONDS 2000000 /* between two questions to a camera without a frame */

/* ---- time ------------------------------------------------------------------------------------ */

static int64_t position_of(const struct video_input *input)
{
    return input->format && input->format->pb ? input->format->pb->pos : 0;
}

static void start_waiting(struct video_input *input)
{
    input->deadline = seconds_now() + input->source->timeout;
    input->position = position_of(input);
}

/* FFmpeg asks this while it waits; 1 makes it give up. */
static int must_stop(void *opaque)
{
    struct video_input *input = opaque;
    if (interrupt_caught())
        return 1;
    if (!input->stream && position_of(input) != input->position)
        start_waiting(
            input); /* looking into the first pictures takes longer than waiting for one */
    input->timed_out = input->timed_out || seconds_now() > input->deadline;
    return input->timed_out;
}

static const char *plural(double count)
{
    return count == 1 ? "" : "s";
}

void video_input_cause(const struct video_input *input, struct message *message, int code)
{
    if (input->timed_out)
        message_set(message, "gave nothing for %g second%s", input->source->timeout,
                    plural(input->source->timeout));
    else
        ffmpeg_cause(message, code);
}

/* What stopped FFmpeg at a task of opening: the clock, or code. */
static int fail(const struct video_input *input, struct message *message, const char *task,
                int code)
{
    if (!input->timed_out)
        return ffmpeg_fail(message, task, code);
    return message_set(message, "gave nothing for %g second%s; check it, or allow more (--timeout)",
                       input->source->timeout, plural(input->source->timeout));
}

/* ---- opening --------------------------------------------------------------------------------- */

/* Checks a path, which opening might not: it would end who writes into a named pipe. */
static int check_file(struct video_input *input, const char *name, struct message *message)
{
    struct stat status;
    if (stat(name, &status) || access(name, R_OK))
        return message_set(message, "cannot be opened: %s", strerror(errno));
    if (S_ISDIR(status.st_mode))
        return message_set(message, "is a folder; name a video in it");
    input->file = S_ISREG(status.st_mode);
    if (input->file && !status.st_size)
        return message_set(message, "is an empty file");
    return 0;
}

/* The URL by which FFmpeg opens the source, to be freed; NULL with the cause. */
static char *url_of(struct video_input *input, struct message *message)
{
    const char *name = input->source->name, *scheme = "";
    if (!strcmp(name, "-")) {
        struct stat status;
        name = "pipe:0";
        input->file = !fstat(STDIN_FILENO, &status) && S_ISREG(status.st_mode);
    } else if (!video_source_connects(input->source)) {
        if (check_file(input, name, message))
            return NULL;
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

static int open_format(struct video_input *input, const char *url, struct message *message)
{
    const bool camera = input->source->camera;
    input->format = ffmpeg.avformat_alloc_context();
    if (!input->format)
        return message_set(message, "no memory for FFmpeg");
    input->format->interrupt_callback = (AVIOInterruptCB){must_stop, input};
    if (camera) /* v4l2 would wait without asking must_stop */
        input->format->flags |= AVFMT_FLAG_NONBLOCK;
    AVDictionary *options = NULL;
    ffmpeg.av_dict_set(&options, "rtsp_flags", "prefer_tcp", 0); /* loses no packets */

    start_waiting(input);
    int code = ffmpeg.avformat_open_input(
        &input->format, url, camera ? ffmpeg.av_find_input_format("v4l2") : NULL, &options);
    ffmpeg.av_dict_free(&options);
    if (code < 0)
        return fail(input, message,
                    camera                        ? "cannot be used as a camera"
                    : code == AVERROR_INVALIDDATA ? "is no video, or a damaged one"
                                                  : "cannot be opened",
                    code);
    if (camera)
        return 0; /* the driver has said everything, and looking would drop frames */
    code = ffmpeg.avformat_find_stream_info(input->format, NULL);
    return code < 0 ? fail(input, message, "cannot be read", code) : 0;
}

static bool is_cover(const AVStream *stream)
{
    return stream->disposition & AV_DISPOSITION_ATTACHED_PIC;
}

/* The index of the best stream of video that is not a sound file's cover; -1: there is none. */
static int best_stream(const AVFormatContext *format)
{
    int best = ffmpeg.av_find_best_stream((AVFormatContext *)(uintptr_t)format, AVMEDIA_TYPE_VIDEO,
                                          -1, -1, NULL, 0);
    if (best >= 0 && !is_cover(format->streams[best]))
        return best;
    for (int i = 0; i < (int)format->nb_streams; i++)
        if (format->streams[i]->codecpar->codec_type == AVMEDIA_TYPE_VIDEO &&
            !is_cover(format->streams[i]))
            return i;
    return -1;
}

static int choose_stream(struct video_input *input, struct message *message)
{
    AVFormatContext *format = input->format;
    const int video = best_stream(format);
    if (video < 0) {
        int audio = ffmpeg.av_find_best_stream(format, AVMEDIA_TYPE_AUDIO, -1, -1, NULL, 0);
        return message_set(message, "has no video stream%s", audio < 0 ? "" : ", only sound");
    }
    /* Any text is "tty" art to FFmpeg. */
    if (!strcmp(format->iformat->name, "tty"))
        return message_set(message, "is no video but text");
    input->stream = format->streams[video];
    for (unsigned i = 0; i < format->nb_streams; i++)
        if ((int)i != video && !input->file) /* a file's sound tells where the file ends */
            format->streams[i]->discard = AVDISCARD_ALL;
    return 0;
}

static int open_decoder(struct video_input *input, struct message *message)
{
    const struct video_source *source = input->source;
    const AVCodecParameters *parameters = input->stream->codecpar;
    const AVCodec *codec = ffmpeg.avcodec_find_decoder(parameters->codec_id);
    if (!codec)
        return message_set(message, "is %s video, which this FFmpeg does not decode",
                           ffmpeg.avcodec_get_name(parameters->codec_id));
    if (parameters->width > 0 && parameters->height > 0 && /* else the first frame shows it */
        picture_check_size((size_t)parameters->width, (size_t)parameters->height,
                           source->megapixels, message))
        return -1;
    input->decoder = ffmpeg.avcodec_alloc_context3(codec);
    input->packet = ffmpeg.av_packet_alloc();
    if (!input->decoder || !input->packet)
        return message_set(message, "no memory for FFmpeg");
    int code = ffmpeg.avcodec_parameters_to_context(input->decoder, parameters);
    if (code >= 0) {
        input->decoder->thread_count = source->threads;
        input->decoder->pkt_timebase = input->stream->time_base;
        input->decoder->max_pixels = (int64_t)(1e6 * source->megapixels);
        code = ffmpeg.avcodec_open2(input->decoder, codec, NULL);
    }
    return code < 0 ? ffmpeg_fail(message, "cannot be decoded", code) : 0;
}

int video_input_open(struct video_input *input, const struct video_source *source,
                     struct message *message)
{
    *input = (struct video_input){.source = source};
    char *url = url_of(input, message);
    if (!url)
        return -1;
    int failed = ffmpeg_load(source->camera ? FFMPEG_CAMERAS : FFMPEG_VIDEOS, message) ||
                 open_format(input, url, message) || choose_stream(input, message) ||
                 open_decoder(input, message);
    free(url);
    if (failed)
        video_input_close(input);
    return failed ? -1 : 0;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* The next packet of any stream; FFmpeg's code. */
static int read_any(struct video_input *input)
{
    const struct timespec pause = {0, POLL_NANOSECONDS};
    start_waiting(input);
    ffmpeg_forget(); /* video_input_cut_off asks what this very packet's reading has logged */
    for (;;) {
        int code = ffmpeg.av_read_frame(input->format, input->packet);
        if (code != AVERROR(EAGAIN))
            return code;
        if (must_stop(input))
            return AVERROR_EXIT;
        nanosleep(&pause, NULL);
    }
}

int video_input_read(struct video_input *input)
{
    for (;;) {
        ffmpeg.av_packet_unref(input->packet);
        int code = read_any(input);
        if (code < 0)
            return code == AVERROR_EOF && input->format->pb && input->format->pb->error < 0
                       ? input->format->pb->error
                       : code;
        input->cut = input->packet->flags & AV_PKT_FLAG_CORRUPT;
        if (input->packet->stream_index != input->stream->index)
            continue;
        if (input->packet->dts != AV_NOPTS_VALUE)
            input->ticks = input->packet->dts + 1;
        return code;
    }
}

static bool has_format(const struct video_input *input, const char *name)
{
    return !strcmp(input->format->iformat->name, name);
}

bool video_input_cut_off(const struct video_input *input)
{
    if (has_format(input, "mpegts")) /* declares nothing: it may end anywhere */
        return false;
    if (has_format(input, "avi") && input->ticks < input->stream->nb_frames)
        return true; /* there is a frame, maybe an empty one, at each tick */
    /* What the readers of MP4 and Matroska log where less is there than the file declares. */
    return input->cut || ffmpeg_log_has("partial file") || ffmpeg_log_has("ended prematurely");
}

bool video_input_endless(const struct video_input *input)
{
    return !input->file && input->format->duration == AV_NOPTS_VALUE;
}

bool video_input_stampless(const struct video_input *input)
{
    const char *name = input->format->iformat->name;
    const size_t length = strlen(name);
    for (const char *at = mtcnn_stampless_formats(); *at; at += strspn(at, " ")) {
        const size_t word = strcspn(at, " ");
        if (word == length && !memcmp(at, name, word))
            return true;
        at += word;
    }
    return false;
}

void video_input_close(struct video_input *input)
{
    if (input->format || input->decoder || input->packet) { /* else FFmpeg may not be loaded */
        ffmpeg.av_packet_free(&input->packet);
        ffmpeg.avcodec_free_context(&input->decoder);
        ffmpeg.avformat_close_input(&input->format);
    }
    *input = (struct video_input){0};
}
