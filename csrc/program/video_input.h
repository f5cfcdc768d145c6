/*
 * video_input.h: the packets of a video file, a stream or a camera, through FFmpeg.
 *
 * Functions that fail return -1 with the cause (without the source's name) in *message.
 */
#ifndef MTCNN_PROGRAM_VIDEO_INPUT_H
#define MTCNN_PROGRAM_VIDEO_INPUT_H

#include <stdbool.h>

#include "ffmpeg.h"
#include "video_reader.h"

/* All zero: not open. */
struct video_input {
    const struct video_source *source;
    AVFormatContext *format;
    AVStream *stream; /* the one of video that is read; format's */
    AVCodecContext *decoder;
    AVPacket *packet;
    bool file;        /* a regular file: it has an end, which is known */
    double deadline;  /* seconds_now() at which waiting ends */
    int64_t position; /* in the source, at which waiting began */
    bool timed_out;   /* it did */
    int64_t ticks;    /* of the stream, until behind the packet that was read last */
    bool cut;         /* that packet, of any stream, lacks its end */
};

/* Opens the source, the best of its video streams, and that one's decoder. */
int video_input_open(struct video_input *input, const struct video_source *source,
                     struct message *message);

/* Reads the stream's next packet into input->packet; FFmpeg's code. */
int video_input_read(struct video_input *input);

/* What stopped video_input_read: the clock, or code. */
void video_input_cause(const struct video_input *input, struct message *message, int code);

/* Whether the end that video_input_read came to is not where the source's own data say. */
bool video_input_cut_off(const struct video_input *input);

/* Whether it has no end of its own, as a camera. */
bool video_input_endless(const struct video_input *input);

/* Whether its format has no time stamps. */
bool video_input_stampless(const struct video_input *input);

/* Frees all; a closed one is fine. */
void video_input_close(struct video_input *input);

#endif
