/* progress.h: how far the program is, on stderr, where that is a terminal. */
#ifndef MTCNN_PROGRAM_PROGRESS_H
#define MTCNN_PROGRAM_PROGRESS_H

#include <stdbool.h>

/* One line, which is written again and again. */
struct progress {
    bool shown;              /* stderr is a terminal, and there is more than one */
    bool drawn;              /* the line is there now */
    const char *unit;        /* pictures or frames: what is counted */
    long total, done, faces; /* total 0: not known */
    double start, last;      /* seconds: the beginning, and when the line was drawn last */
};

void progress_begin(struct progress *progress, const char *unit, long total);

/* Takes the line away, so that something else can be printed. */
void progress_clear(struct progress *progress);

/* One more is done, in which so many faces were found. */
void progress_step(struct progress *progress, int faces);

/* Leaves a line with the sum. */
void progress_end(struct progress *progress);

#endif
