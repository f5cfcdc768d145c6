/* The public functions of a tracker, and what it does with a frame. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cascade.h"
#include "clock.h"
#include "error.h"
#include "image.h"
#include "reserved.h"
#include "scene.h"
#include "settings.h"
#include "tracks.h"

/*
 * Candidates for each track: the box where it is expected, and one of a smaller side. RNet and ONet
 * learned from PNet's proposals, which come in all sizes: with the second one, boxes overlap the
 * truth by 0.93 instead of 0.915 (min face 40; a full scan's: 0.92 to 0.94), for a third more time.
 */
enum { BOXES_PER_TRACK = 2 };
#define SMALLER 0.8

enum {
    TRACKS,   /* mt_track [track_count], by rising id */
    BOXES,    /* float [BOXES_PER_TRACK][track_count][4]: where the tracks are expected, smaller */
    PAIRS,    /* what mt_match needs */
    FACE_OF,  /* int: of each track, the face in this frame, or -1 */
    TRACK_OF, /* int: of each face of this frame, the track, or -1 */
    FACES,    /* mtcnn_tracked_face: the result */
    BUFFERS
};

struct mtcnn_tracker {
    mtcnn_detector *detector;
    mtcnn_tracker_options options;
    mt_use use;
    mt_buffer buffers[BUFFERS];
    int track_count;
    uint32_t last_id;
    int since_scan;    /* frames after the last full scan */
    int width, height; /* of the last frame; 0 before the first */
    mt_scene scene;    /* of the last frame */
    double seconds;
};

void mtcnn_tracker_defaults(mtcnn_tracker_options *options)
{
    *options = (mtcnn_tracker_options){0};
    mt_settings_default(MTCNN_OF_TRACKER, options);
}

int mtcnn_tracker_create(mtcnn_tracker **result, mtcnn_detector *detector,
                         const mtcnn_tracker_options *options, mtcnn_error *error)
{
    mt_clear(error);
    if (result)
        *result = NULL;
    if (!result || !detector)
        return mt_fail(error, MTCNN_ERROR_ARGUMENT,
                       "mtcnn_tracker_create: tracker or detector is NULL");
    mtcnn_tracker_options defaults;
    mtcnn_tracker_defaults(&defaults);
    if (!options)
        options = &defaults;
    int status = mt_check_reserved(options->reserved, sizeof options->reserved,
                                   "mtcnn_tracker_options", "mtcnn_tracker_defaults", error);
    if (!status)
        status = mt_settings_check(MTCNN_OF_TRACKER, options, error);
    if (status)
        return status;
    mtcnn_tracker *tracker = calloc(1, sizeof *tracker);
    if (!tracker)
        return mt_fail_memory(error, "a tracker", sizeof *tracker);
    tracker->detector = detector;
    tracker->options = *options;
    *result = tracker;
    return MTCNN_OK;
}

/*
 * After a fork, in the child: begins again where another thread was in a frame at that moment,
 * whose memory is lost.
 */
static void forget_torn(mtcnn_tracker *tracker)
{
    if (!mt_use_is_torn(&tracker->use))
        return;
    memset(tracker->buffers, 0, sizeof tracker->buffers);
    tracker->track_count = tracker->since_scan = tracker->width = tracker->height = 0;
    mt_use_end(&tracker->use);
}

void mtcnn_tracker_free(mtcnn_tracker **result)
{
    if (!result || !*result)
        return;
    mtcnn_tracker *tracker = *result;
    forget_torn(tracker);
    mt_buffers_release(tracker->buffers, BUFFERS);
    free(tracker);
    *result = NULL;
}

/* Fills the boxes. Returns false if there is no memory. */
static bool predict_boxes(mtcnn_tracker *tracker, double seconds)
{
    const int count = tracker->track_count;
    if (!mt_reserve(&tracker->buffers[BOXES], (size_t)count * BOXES_PER_TRACK, 4 * sizeof(float)))
        return false;
    float(*boxes)[4] = tracker->buffers[BOXES].data;
    for (int i = 0; i < count; i++) {
        mt_track_predict((const mt_track *)tracker->buffers[TRACKS].data + i, seconds, boxes[i]);
        for (int k = 0; k < 4; k++) {
            const float *box = boxes[i];
            const double middle = ((double)box[k % 2] + box[k % 2 + 2]) / 2;
            boxes[count + i][k] = (float)(middle + SMALLER * (box[k] - middle));
        }
    }
    return true;
}

/* Looks for faces in the frame, and for their tracks. *matched: how many tracks have a face. */
static int find_faces(mtcnn_tracker *tracker, const mtcnn_image *image, bool scan,
                      mtcnn_result *found, int *matched, mtcnn_error *error)
{
    const mt_boxes known = {tracker->buffers[BOXES].data,
                            (size_t)tracker->track_count * BOXES_PER_TRACK};
    memset(found, 0, sizeof *found);
    const int status = mt_cascade_run(tracker->detector, image, scan,
                                      tracker->options.every > 1 ? &known : NULL, found, error);
    if (status)
        return status;
    const mtcnn_stage *last = &found->stages[MT_ONET]; /* not clipped, as the tracks are */
    if (!mt_reserve(&tracker->buffers[TRACK_OF], (size_t)last->count, sizeof(int)) ||
        !mt_match(known.boxes, tracker->track_count, last->faces, last->count,
                  &tracker->buffers[PAIRS], tracker->buffers[FACE_OF].data,
                  tracker->buffers[TRACK_OF].data))
        return mt_fail_memory(error, "the faces of a frame",
                              (size_t)last->count * sizeof(mt_candidate));
    *matched = 0;
    for (int i = 0; i < tracker->track_count; i++)
        *matched += ((const int *)tracker->buffers[FACE_OF].data)[i] >= 0;
    return MTCNN_OK;
}

/* Room for what the frame will change, so that nothing after it can fail. */
static bool reserve_results(mtcnn_tracker *tracker, size_t faces)
{
    const size_t tracks = (size_t)tracker->track_count;
    return mt_grow(&tracker->buffers[TRACKS], tracks, tracks + faces, sizeof(mt_track)) &&
           mt_reserve(&tracker->buffers[FACES], tracks + faces, sizeof(mtcnn_tracked_face));
}

/* Tracks that have a face go on with it; those that were missed too often are given up. */
static void update_tracks(mtcnn_tracker *tracker, const mtcnn_face *faces, double seconds)
{
    mt_track *tracks = tracker->buffers[TRACKS].data;
    const int *face_of = tracker->buffers[FACE_OF].data;
    int kept = 0;
    for (int i = 0; i < tracker->track_count; i++) {
        mt_track *track = &tracks[i];
        track->age++;
        if (face_of[i] >= 0)
            mt_track_update(track, &faces[face_of[i]], seconds, &tracker->options);
        else if (++track->missed > tracker->options.lost)
            continue;
        tracks[kept++] = *track;
    }
    tracker->track_count = kept;
}

/* Faces without a track get one. */
static void begin_tracks(mtcnn_tracker *tracker, const mtcnn_face *faces, int count, double seconds)
{
    const int *track_of = tracker->buffers[TRACK_OF].data;
    for (int j = 0; j < count; j++) {
        if (track_of[j] >= 0 || faces[j].score < tracker->options.min_score)
            continue;
        mt_track *track = (mt_track *)tracker->buffers[TRACKS].data + tracker->track_count++;
        *track = (mt_track){.seconds = seconds, .id = ++tracker->last_id};
        mt_smoothing_begin(&track->smoothing, &faces[j]);
    }
}

static void finish(mtcnn_tracker *tracker, const mtcnn_image *image, mtcnn_tracks *result)
{
    const mt_track *tracks = tracker->buffers[TRACKS].data;
    mtcnn_tracked_face *faces = tracker->buffers[FACES].data;
    int count = 0;
    for (int i = 0; i < tracker->track_count; i++) {
        if (tracks[i].missed)
            continue;
        faces[count] = (mtcnn_tracked_face){tracks[i].smoothing.face, tracks[i].id, tracks[i].age};
        if (tracker->detector->options.clip)
            mt_clip(faces[count].face.box, image->width, image->height);
        count++;
    }
    result->faces = faces;
    result->count = count;
}

static int track(mtcnn_tracker *tracker, const mtcnn_image *image, double seconds,
                 mtcnn_tracks *result, mtcnn_error *error)
{
    const double start = mt_now_ms();
    mt_scene scene;
    mt_scene_of(&scene, image);
    if (image->width != tracker->width || image->height != tracker->height ||
        mt_scene_is_cut(&tracker->scene, &scene))
        tracker->track_count = 0;
    mtcnn_result found;
    int matched = 0, status = MTCNN_OK;
    if (!mt_reserve(&tracker->buffers[FACE_OF], (size_t)tracker->track_count, sizeof(int)) ||
        !predict_boxes(tracker, seconds))
        return mt_fail_memory(error, "the faces of a frame",
                              (size_t)tracker->track_count * BOXES_PER_TRACK * 4 * sizeof(float));
    bool scan = tracker->since_scan + 1 >= tracker->options.every || !tracker->track_count;
    if (!scan) {
        status = find_faces(tracker, image, false, &found, &matched, error);
        scan = !matched;
    }
    if (scan && !status)
        status = find_faces(tracker, image, true, &found, &matched, error);
    const mtcnn_stage *last = &found.stages[MT_ONET];
    if (!status && !reserve_results(tracker, (size_t)last->count))
        status = mt_fail_memory(error, "the faces of a frame",
                                (size_t)last->count * sizeof(mt_track));
    if (status)
        return status;

    update_tracks(tracker, last->faces, seconds);
    if (scan)
        begin_tracks(tracker, last->faces, last->count, seconds);
    finish(tracker, image, result);
    tracker->since_scan = scan ? 0 : tracker->since_scan + 1;
    tracker->width = image->width;
    tracker->height = image->height;
    tracker->scene = scene;
    tracker->seconds = seconds;
    result->scanned = scan;
    result->total_ms = mt_now_ms() - start;
    return MTCNN_OK;
}

int mtcnn_track(mtcnn_tracker *tracker, const mtcnn_image *image, double seconds,
                mtcnn_tracks *tracks, mtcnn_error *error)
{
    mt_clear(error);
    if (tracks)
        memset(tracks, 0, sizeof *tracks);
    if (!tracker || !tracks)
        return mt_fail(error, MTCNN_ERROR_ARGUMENT, "mtcnn_track: tracker or tracks is NULL");
    int status = mt_check_image(image, error);
    if (status)
        return status;
    forget_torn(tracker);
    if (!isfinite(seconds) || (tracker->width && seconds <= tracker->seconds))
        return mt_fail(error, MTCNN_ERROR_ARGUMENT,
                       "a frame at %g seconds: must be a number, and later than the frame before",
                       seconds);
    mt_use_begin(&tracker->use);
    status = track(tracker, image, seconds, tracks, error);
    mt_use_end(&tracker->use);
    return status;
}
