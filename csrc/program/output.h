/* output.h: what was found, as text, JSON or CSV on stdout, with timings on stderr. */
#ifndef MTCNN_PROGRAM_OUTPUT_H
#define MTCNN_PROGRAM_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>

#include "arguments.h"
#include "mtcnn.h"

struct output {
    enum output_format format;
    bool time;    /* tell milliseconds and candidates, too */
    bool summary; /* tell the number of faces on stderr, which is a terminal */
    int failed;   /* errno of the first write to stdout that failed; 0: none */
};

/* What was found in a frame of a video. */
struct frame_faces {
    const char *video; /* its path, URL or device */
    long number;       /* of the frame: 0, 1, ... */
    double seconds;    /* since the first frame */
    int width, height; /* of the frame, pixels */
    int count;
    const mtcnn_face *faces; /* [count] */
    const uint32_t *ids;     /* [count]; NULL where faces are not tracked */
    mtcnn_result result;     /* of detection, with its timings, where faces are not tracked */
    double total_ms;         /* of tracking, where they are */
};

/* Prints what comes before the first picture. */
void output_begin(struct output *output, enum output_format format, bool time);

/* Prints what was found in the picture of the given size, pixels. */
void output_picture(struct output *output, const char *path, int width, int height,
                    const mtcnn_result *result);

/* The same two for the frames of one video; ids: faces are tracked. */
void output_begin_video(struct output *output, enum output_format format, bool time, bool ids);
void output_frame(struct output *output, const struct frame_faces *frame);

/* Closes stdout; where it did not take everything, says so on stderr and returns -1, else 0. */
int output_end(struct output *output);

#endif
