#include "smoothing.h"

#include <math.h>

/* Of the velocity's low-pass filter, Hz: the paper's. */
#define VELOCITY_CUTOFF 1.0

static const double two_pi = 6.283185307179586;

/* Weight of a new value that comes `seconds` after the last one. */
static double weight(double seconds, double cutoff)
{
    return 1 / (1 + 1 / (two_pi * cutoff * seconds)); /* 0..1 for any seconds above 0 */
}

/* x and y of the centre, and the side. */
static void centre_and_side(const mtcnn_face *face, double place[3])
{
    const float *box = face->box;
    const double width = (double)box[2] - box[0], height = (double)box[3] - box[1];
    place[0] = box[0] + width / 2;
    place[1] = box[1] + height / 2;
    place[2] = fmax(width, height);
}

static void blend(float *values, const float *newer, int count, double share)
{
    for (int i = 0; i < count; i++)
        values[i] = (float)(values[i] + share * ((double)newer[i] - values[i]));
}

void mt_smoothing_begin(mt_smoothing *smoothing, const mtcnn_face *face)
{
    *smoothing = (mt_smoothing){.face = *face, .last = *face};
}

void mt_smoothing_add(mt_smoothing *smoothing, const mtcnn_face *face, double seconds,
                      double time_constant, double beta)
{
    double before[3], now[3], speed = 0;
    centre_and_side(&smoothing->last, before);
    centre_and_side(face, now);
    const double share = weight(seconds, VELOCITY_CUTOFF);
    const double share_a_second = 1 / (seconds + 1 / (two_pi * VELOCITY_CUTOFF));
    for (int k = 0; k < 3; k++) {
        smoothing->velocity[k] += share_a_second * (now[k] - before[k]) -
                                  share * smoothing->velocity[k];
        speed = hypot(speed, smoothing->velocity[k] / now[2]);
    }
    smoothing->last = *face;
    smoothing->face.score = face->score;
    double kept = 1;
    if (time_constant > 0)
        kept = weight(seconds, 1 / (two_pi * time_constant) + beta * speed);
    blend(smoothing->face.box, face->box, 4, kept);
    blend(smoothing->face.landmarks, face->landmarks, 10, kept);
}
