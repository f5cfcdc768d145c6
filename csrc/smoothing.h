/*
 * smoothing.h: a face smoothed over time by a One Euro filter (Casiez, Roussel, Vogel 2012): a
 * low-pass filter whose cut-off frequency grows with the speed, so that a face at rest does not
 * tremble and a moving one does not lag.
 *
 * One cut-off serves the whole face: box and landmarks keep their form, and what comes out is
 * always a weighted mean of faces that came in.
 */
#ifndef MT_SMOOTHING_H
#define MT_SMOOTHING_H

#include "mtcnn.h"

typedef struct mt_smoothing {
    mtcnn_face face;    /* smoothed */
    mtcnn_face last;    /* as it came in */
    double velocity[3]; /* low-pass filtered: of the centre's x and y, and of the side; pixels/s */
} mt_smoothing;

/* A new face: it comes out as it came in. */
void mt_smoothing_begin(mt_smoothing *smoothing, const mtcnn_face *face);

/*
 * The face `seconds` later, above 0. time_constant (seconds; 0: no smoothing) and beta as in
 * mtcnn_tracker_options.
 */
void mt_smoothing_add(mt_smoothing *smoothing, const mtcnn_face *face, double seconds,
                      double time_constant, double beta);

#endif
