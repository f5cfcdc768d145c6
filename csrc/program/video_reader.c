#include "video_reader.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "interrupt.h"
#include "seconds.h"
#include "video_clock.h"
#include "video_frame.h"
#include "video_input.h"

#define DEFAULT_RATE 25.0 /* frames a second, where the source does not say */
#define FIRST_PAUSE 1.0   /* seconds until it is tried to connect again; twice as long each time, */
#define LONGEST_PAUSE 8.0 /* up to this */

struct video_reader {
    const struct video_source *source;
    struct video_input input;
    AVFrame *frame;
    struct frame_scaler scaler;
    struct video_clock clock;
    double arrival;             /* seconds_now() of the packet that was read last */
    int orientation;            /* the stream's, as EXIF has it, 1..8 */
    int frame_orientation;      /* the frame's */
    double broken_since;        /* seconds_now(), until a frame comes; 0: it is not broken */
    double skip;                /* frames up to this time have been seen before a new connection */
    bool started;               /* a key frame has come */
    int64_t packets;            /* read so far */
    long damaged;               /* frames that could not be decoded, or in part */
    long damaged_before;        /* the packet that was read last, which may have been cut */
    struct message first_error; /* what the first of them has */
    struct message end;         /* why the source ended, where that was too early; else empty */
};

bool video_source_connects(const struct video_source *source)
{
    return source->camera || strstr(source->name, "://");
}

/* ---- upright --------------------------------------------------------------------------------- */

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

/* The frame's own, else the stream's. */
static int frame_orientation(const struct video_reader *reader)
{
    const AVFrameSideData *own = ffmpeg.av_frame_get_side_data(reader->frame,
                                                               AV_FRAME_DATA_DISPLAYMATRIX);
    return own ? orientation_of((const int32_t *)(const void *)own->data) : reader->orientation;
}

/* ---- opening --------------------------------------------------------------------------------- */

static int connect_to(struct video_reader *reader, struct message *message)
{
    struct video_input *input = &reader->input;
    if (video_input_open(input, reader->source, message))
        return -1;
    AVRational rate = ffmpeg.av_guess_frame_rate(input->format, input->stream, NULL);
    reader->clock.rate = rate.num > 0 && rate.den > 0 ? (double)rate.num / rate.den : DEFAULT_RATE;
    reader->clock.kind = !video_input_stampless(input) ? TIME_OF_STREAM
                         : input->file                 ? TIME_OF_RATE
                                                       : TIME_OF_ARRIVAL;
    reader->orientation = orientation_of(display_matrix(input->stream));
    reader->started = false;
    return 0;
}

int video_reader_open(struct video_reader **reader, const struct video_source *source,
                      struct message *message)
{
    *reader = calloc(1, sizeof **reader);
    if (!*reader)
        return message_set(message, "no memory");
    (*reader)->source = source;
    (*reader)->skip = -INFINITY;
    int failed = connect_to(*reader, message);
    if (!failed && !((*reader)->frame = ffmpeg.av_frame_alloc()))
        failed = message_set(message, "no memory for FFmpeg");
    if (failed)
        video_reader_free(reader);
    return failed ? -1 : 0;
}

/* ---- connecting again ------------------------------------------------------------------------ */

/* Says where and why the source broke off, and what then; returns -1. */
static int describe_end(const struct video_reader *reader, struct message *message,
                        const char *then)
{
    return message_set(message, "breaks off after frame %lld: %.400s%s",
                       (long long)reader->clock.frames, reader->end.text, then);
}

/* Waits, or less where a signal ends it. */
static void pause_for(double seconds)
{
    const struct timespec step = {0, 20000000};
    for (const double end = seconds_now() + seconds; seconds_now() < end && !interrupt_caught();)
        nanosleep(&step, NULL);
}

/* Goes to where a source with an end broke off; where it cannot, it is read anew. */
static void resume(struct video_reader *reader)
{
    const AVRational base = reader->input.stream->time_base;
    const double stamp = reader->clock.zero + reader->clock.seconds;
    ffmpeg.av_seek_frame(reader->input.format, reader->input.stream->index,
                         (int64_t)(stamp * base.den / base.num), AVSEEK_FLAG_BACKWARD);
    reader->skip = reader->clock.seconds;
}

/*
 * Connects again to a source that ended for the cause reader->end: true if it goes on. An endless
 * one goes on now, any other one where it broke off.
 */
static bool reconnect(struct video_reader *reader, bool endless)
{
    const struct video_source *source = reader->source;
    struct message text, cause = reader->end;
    if (!reader->broken_since)
        reader->broken_since = seconds_now();
    const double end = reader->broken_since + source->reconnect;
    if (seconds_now() < end) {
        describe_end(reader, &text, "; connecting again");
        source->notice(source->opaque, text.text);
    }
    video_input_close(&reader->input);
    double pause = FIRST_PAUSE;
    for (; seconds_now() < end && !interrupt_caught(); pause = fmin(2 * pause, LONGEST_PAUSE)) {
        pause_for(fmin(pause, end - seconds_now()));
        if (!interrupt_caught() && !connect_to(reader, &cause)) {
            reader->end.text[0] = '\0';
            reader->damaged = reader->damaged_before;
            reader->clock.gap = endless;
            if (!endless)
                resume(reader);
            return true;
        }
    }
    message_set(&reader->end, "%.400s; gave up after %g seconds (--reconnect)", cause.text,
                source->reconnect);
    return false;
}

/* ---- reading --------------------------------------------------------------------------------- */

/* Notes why the source ended, where that was too early: true if it then goes on. */
static bool note_end(struct video_reader *reader, int code)
{
    const struct video_input *input = &reader->input;
    const bool endless = video_input_endless(input);
    const bool again = reader->source->reconnect > 0 && video_source_connects(reader->source);
    if (interrupt_caught())
        return false;
    if (endless && code == AVERROR(EIO) && !strncmp(reader->source->name, "http", 4))
        code = AVERROR_EOF; /* it is what HTTP tells where the other side closes */
    if (code != AVERROR_EOF)
        video_input_cause(input, &reader->end, code);
    else if (video_input_cut_off(input))
        message_set(&reader->end, "its end is missing");
    else if (endless && again)
        message_set(&reader->end, "the other side has ended it");
    return reader->end.text[0] && again && reconnect(reader, endless);
}

/* Damage before the first key frame is none: the stream begins in the middle. */
static void note_damage(struct video_reader *reader, int code)
{
    if (reader->started && !reader->damaged++)
        ffmpeg_fail(&reader->first_error, "damaged", code);
}

/* Gives the decoder the next packet, or NULL when there are no more. */
static void send_packet(struct video_reader *reader)
{
    int code;
    do
        code = video_input_read(&reader->input);
    while (code < 0 && note_end(reader, code));
    reader->arrival = seconds_now();
    struct video_input *input = &reader->input;
    if (code < 0) {
        if (input->decoder) /* else it could not connect again */
            ffmpeg.avcodec_send_packet(input->decoder, NULL);
        return;
    }
    reader->packets++;
    reader->damaged_before = reader->damaged;
    reader->started = reader->started || input->packet->flags & AV_PKT_FLAG_KEY;
    code = ffmpeg.avcodec_send_packet(input->decoder, input->packet);
    if (code < 0)
        note_damage(reader, code);
}

/* The frame's time stamp in seconds; NaN where it has none. */
static double stamp_of(const struct video_reader *reader)
{
    const AVFrame *frame = reader->frame;
    const AVRational base = reader->input.stream->time_base;
    const int64_t stamp = frame->pts != AV_NOPTS_VALUE ? frame->pts : frame->pkt_dts;
    return stamp != AV_NOPTS_VALUE ? (double)stamp * base.num / base.den : NAN;
}

/* Takes the frame that was decoded: whether it is a new one. */
static bool take_frame(struct video_reader *reader)
{
    if (reader->frame->decode_error_flags || reader->frame->flags & AV_FRAME_FLAG_CORRUPT)
        note_damage(reader, AVERROR_INVALIDDATA);
    const double stamp = stamp_of(reader);
    if (stamp - reader->clock.zero <= reader->skip)
        return false;
    reader->skip = -INFINITY;
    reader->broken_since = 0;
    reader->frame_orientation = frame_orientation(reader);
    video_clock_next(&reader->clock, stamp, reader->arrival);
    return true;
}

/* What there is to report at the end: 0, or -1 with it. */
static int end_of(const struct video_reader *reader, struct message *message)
{
    if (interrupt_caught())
        return 0;
    if (reader->end.text[0])
        return describe_end(reader, message,
                            reader->input.timed_out ? "; check it, or allow more (--timeout)"
                            : video_source_connects(reader->source) ? ""
                                                                    : "; get a whole copy of it");
    if (!reader->clock.frames)
        return message_set(message, "has no frame that can be decoded");
    if (reader->damaged)
        return message_set(message, "%ld of %lld frames are %s", reader->damaged,
                           (long long)reader->packets, reader->first_error.text);
    return 0;
}

int video_reader_next(struct video_reader *reader, double *seconds, struct message *message)
{
    while (!interrupt_caught() && reader->input.decoder) {
        int code = ffmpeg.avcodec_receive_frame(reader->input.decoder, reader->frame);
        if (code == AVERROR(EAGAIN)) {
            send_packet(reader);
        } else if (code == AVERROR_EOF) {
            break;
        } else if (code < 0) {
            note_damage(reader, code);
        } else if (take_frame(reader)) {
            *seconds = reader->clock.seconds;
            return 1;
        }
    }
    return end_of(reader, message);
}

int video_reader_picture(struct video_reader *reader, struct picture *picture,
                         struct message *message)
{
    return frame_to_picture(&reader->scaler, reader->frame, picture, message) ||
                   picture_orient(picture, reader->frame_orientation, message)
               ? -1
               : 0;
}

double video_reader_rate(const struct video_reader *reader)
{
    return reader->clock.rate;
}

long video_reader_count(const struct video_reader *reader)
{
    return (long)reader->input.stream->nb_frames;
}

void video_reader_free(struct video_reader **reader)
{
    if (!*reader)
        return;
    frame_scaler_free(&(*reader)->scaler);
    if ((*reader)->frame)
        ffmpeg.av_frame_free(&(*reader)->frame);
    video_input_close(&(*reader)->input);
    free(*reader);
    *reader = NULL;
}
