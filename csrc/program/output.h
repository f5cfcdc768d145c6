/* output.h: what was found in a picture, as text, JSON or CSV, and how long it took. */
#ifndef MTCNN_PROGRAM_OUTPUT_H
#define MTCNN_PROGRAM_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

#include "mtcnn.h"

enum output_format { OUTPUT_TEXT, OUTPUT_JSON, OUTPUT_CSV };

/* What was found in a picture. */
struct findings {
    const char *path;
    int width, height; /* of the picture, pixels */
    const mtcnn_face *faces;
    int count;
    int stage; /* whose boxes faces are: 0, 1, 2; STAGE_FINAL: the cascade's faces */
    const mtcnn_result *result; /* for the times */
};

/* The cascade's own result: ONet's faces, clipped unless the options say otherwise. */
#define STAGE_FINAL (-1)

/* pnet, rnet, onet. */
extern const char *const output_stage_names[3];

/* PNet and RNet find boxes alone. */
bool output_has_landmarks(int stage);

/* What comes before the first picture: CSV's header. */
void output_begin(FILE *stream, enum output_format format);

/* time: JSON objects tell the times, too. */
void output_findings(FILE *stream, enum output_format format, const struct findings *findings,
                     bool time);

/* Milliseconds and candidates of each stage, for people. */
void output_time(FILE *stream, const struct findings *findings);

#endif
