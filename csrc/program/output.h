/* output.h: what was found in a picture, as text, JSON or CSV, and how long it took. */
#ifndef MTCNN_PROGRAM_OUTPUT_H
#define MTCNN_PROGRAM_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "mtcnn.h"

enum output_format { OUTPUT_TEXT, OUTPUT_JSON, OUTPUT_CSV };

/* What was found in a picture, or in a frame of a video. */
struct findings {
    const char *path;  /* of the picture; the video's path, URL or device */
    bool is_frame;     /* of a video */
    long frame;        /* its number: 0, 1, ... */
    double seconds;    /* since the first frame */
    int width, height; /* pixels */
    const mtcnn_face *faces;
    const uint32_t *ids; /* NULL where faces are not tracked */
    int count;
    int stage; /* whose boxes faces are: 0, 1, 2; STAGE_FINAL: the cascade's faces */
    const mtcnn_result *result; /* of detection, for the times; NULL where faces are tracked */
    double total_ms;            /* of tracking, where they are */
};

/* The cascade's own result: ONet's faces, clipped unless the options say otherwise. */
#define STAGE_FINAL (-1)

/* pnet, rnet, onet. */
extern const char *const output_stage_names[3];

/* PNet and RNet find boxes alone. */
bool output_has_landmarks(int stage);

/* Makes what the stage found, or the cascade, the findings' faces. */
void output_take(struct findings *findings, const mtcnn_result *result, int stage);

/* What comes before the first picture, or before a video's first frame: CSV's header. */
void output_begin(FILE *stream, enum output_format format);
void output_begin_video(FILE *stream, enum output_format format, bool tracked);

/* time: JSON objects tell the times, too. */
void output_findings(FILE *stream, enum output_format format, const struct findings *findings,
                     bool time);

/* Milliseconds and candidates of each stage, for people. */
void output_time(FILE *stream, const struct findings *findings);

#endif
