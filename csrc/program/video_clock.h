/*
 * video_clock.h: when each frame of a video is shown, in seconds since the first one.
 *
 * It is the stream's own time. Where its format has no time stamps, the time of arrival counts, and
 * in a file, where nothing arrives, the declared rate.
 */
#ifndef MTCNN_PROGRAM_VIDEO_CLOCK_H
#define MTCNN_PROGRAM_VIDEO_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

enum video_time { TIME_OF_STREAM, TIME_OF_ARRIVAL, TIME_OF_RATE };

/* Besides the first two members all zero at first. */
struct video_clock {
    enum video_time kind;
    double rate;    /* frames a second, as declared */
    bool gap;       /* the next frame is the first of a new connection to an endless stream */
    int64_t frames; /* so far */
    double zero;    /* time stamp or arrival of the first frame */
    double seconds; /* of the frame before */
    double arrival; /* of the frame before */
};

/*
 * The time of the next frame: after that of the one before. stamp: as the stream has it, in
 * seconds, NaN where it has none; arrival: seconds_now() when it came.
 */
double video_clock_next(struct video_clock *clock, double stamp, double arrival);

#endif
