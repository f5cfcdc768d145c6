/* output.h: what was found, as text, JSON or CSV on stdout, with timings on stderr. */
#ifndef MTCNN_PROGRAM_OUTPUT_H
#define MTCNN_PROGRAM_OUTPUT_H

#include <stdbool.h>

#include "arguments.h"
#include "mtcnn.h"

struct output {
    enum output_format format;
    bool time;    /* tell milliseconds and candidates, too */
    bool summary; /* tell the number of faces on stderr, which is a terminal */
    int failed;   /* errno of the first write to stdout that failed; 0: none */
};

/* Prints what comes before the first picture. */
void output_begin(struct output *output, enum output_format format, bool time);

/* Prints what was found in the picture of the given size, pixels. */
void output_picture(struct output *output, const char *path, int width, int height,
                    const mtcnn_result *result);

/* Closes stdout; where it did not take everything, says so on stderr and returns -1, else 0. */
int output_end(struct output *output);

#endif
