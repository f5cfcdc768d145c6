/* tracks.h: faces that are followed from frame to frame. */
#ifndef MT_TRACKS_H
#define MT_TRACKS_H

#include <stdbool.h>

#include "memory.h"
#include "smoothing.h"

typedef struct mt_track {
    mt_smoothing smoothing;
    double seconds;     /* when it was seen last */
    double velocity[2]; /* of the centre then, pixels a second */
    uint32_t id, age;
    int missed; /* frames in a row; 0: it was seen in the last one */
} mt_track;

/*
 * Where the track's box is expected at a later time: it moves on as it did between the last two
 * frames in which it was seen; once missed, it waits.
 */
void mt_track_predict(const mt_track *track, double seconds, float box[4]);

/* The face was found at a later time. */
void mt_track_update(mt_track *track, const mtcnn_face *face, double seconds,
                     const mtcnn_tracker_options *options);

/*
 * Which of the faces belongs to which box: the pair that overlaps most first, as long as both are
 * free. face_of[i]: the face of box i, or -1; box_of[j]: the box of face j, or -1. Memory: pairs.
 * Returns false if there is none.
 */
bool mt_match(const float (*boxes)[4], int box_count, const mtcnn_face *faces, int face_count,
              mt_buffer *pairs, int *face_of, int *box_of);

#endif
