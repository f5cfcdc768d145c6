#include "tracks.h"

#include <math.h>

#include "boxes.h"

/* Least overlap, intersection over union, of a face with the place where it is expected. */
#define MIN_OVERLAP 0.3

void mt_track_predict(const mt_track *track, double seconds, float box[4])
{
    const float *last = track->smoothing.last.box;
    const double later = track->missed ? 0 : seconds - track->seconds;
    for (int k = 0; k < 4; k++) {
        /* Frames at almost the same time, or ages apart, tell nothing about the velocity. */
        const double moved = later * track->velocity[k % 2];
        box[k] = (float)(last[k] + (isfinite(moved) ? moved : 0));
    }
}

void mt_track_update(mt_track *track, const mtcnn_face *face, double seconds,
                     const mtcnn_tracker_options *options)
{
    const float *last = track->smoothing.last.box, *box = face->box;
    const double later = seconds - track->seconds;
    for (int k = 0; k < 2; k++)
        track->velocity[k] = ((double)box[k] + box[k + 2] - last[k] - last[k + 2]) / 2 / later;
    mt_smoothing_add(&track->smoothing, face, later, options->smoothing, options->beta);
    track->seconds = seconds;
    track->missed = 0;
}

bool mt_match(const float (*boxes)[4], int box_count, const mtcnn_face *faces, int face_count,
              mt_buffer *pairs, int *face_of, int *box_of)
{
    /* Pairs are sorted as candidates are: by overlap, then by box, then by face. */
    size_t count = 0;
    for (int j = 0; j < face_count; j++)
        box_of[j] = -1;
    for (int i = 0; i < box_count; i++) {
        face_of[i] = -1;
        for (int j = 0; j < face_count; j++) {
            const double overlap = mt_overlap_of(boxes[i], faces[j].box, MT_OVER_UNION);
            if (!(overlap >= MIN_OVERLAP)) /* a NaN is none */
                continue;
            if (!mt_grow(pairs, count, count + 1, sizeof(mt_candidate)))
                return false;
            ((mt_candidate *)pairs->data)[count++] = (mt_candidate){
                .score = (float)overlap, .level = i, .order = j};
        }
    }
    const mt_candidate *sorted = pairs->data;
    if (count)
        mt_sort(pairs->data, count);
    for (size_t k = 0; k < count; k++) {
        const int box = sorted[k].level, face = sorted[k].order;
        if (face_of[box] >= 0 || box_of[face] >= 0)
            continue;
        face_of[box] = face;
        box_of[face] = box;
    }
    return true;
}
