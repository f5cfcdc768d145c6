/* The cascade: its stages in order, and steps 4, 5, 6 and 9 between them. */
#include "cascade.h"

#include <string.h>

#include "clock.h"
#include "error.h"

/* Steps 4, 7 and 8: at most max_boxes of the stage are kept. false: no memory. */
static bool suppress(mtcnn_detector *detector, mt_stage stage, float limit, mt_overlap kind)
{
    mt_candidate *candidates = detector->buffers[MT_DETECTOR_CANDIDATES].data;
    mt_sort(candidates, detector->candidate_count);
    return mt_suppress(candidates, &detector->candidate_count,
                       (size_t)detector->options.max_boxes[stage], limit, kind,
                       &detector->lanes[0].buffers[MT_LANE_KEPT]);
}

/* Step 5. */
static void regress_visible(mtcnn_detector *detector, const mtcnn_image *image)
{
    mt_candidate *candidates = detector->buffers[MT_DETECTOR_CANDIDATES].data;
    size_t kept = 0;
    for (size_t i = 0; i < detector->candidate_count; i++) {
        mt_regress(&candidates[i]);
        if (mt_is_visible(candidates[i].box, image->width, image->height))
            candidates[kept++] = candidates[i];
    }
    detector->candidate_count = kept;
}

/* Step 6. */
static void square_all(mtcnn_detector *detector)
{
    mt_candidate *candidates = detector->buffers[MT_DETECTOR_CANDIDATES].data;
    for (size_t i = 0; i < detector->candidate_count; i++)
        mt_square(candidates[i].box);
}

/* Keeps what the stage hands on for the caller. Returns false if there is no memory. */
static bool finish_stage(mtcnn_detector *detector, mt_stage stage, mtcnn_stage *result)
{
    const mt_candidate *candidates = detector->buffers[MT_DETECTOR_CANDIDATES].data;
    if (!mt_reserve(&detector->buffers[MT_DETECTOR_FACES + stage], detector->candidate_count,
                    sizeof(mtcnn_face)))
        return false;
    mtcnn_face *faces = detector->buffers[MT_DETECTOR_FACES + stage].data;
    for (size_t i = 0; i < detector->candidate_count; i++) {
        const mt_candidate *candidate = &candidates[i];
        faces[i] = (mtcnn_face){.score = candidate->score};
        memcpy(faces[i].box, candidate->box, sizeof candidate->box);
        if (stage == MT_ONET)
            memcpy(faces[i].landmarks,
                   (const float *)detector->buffers[MT_DETECTOR_LANDMARKS].data +
                       10 * candidate->order,
                   sizeof faces[i].landmarks);
    }
    result->faces = faces;
    result->count = (int)detector->candidate_count;
    return true;
}

static bool run_pnet(mtcnn_detector *detector, const mtcnn_image *image, mtcnn_result *result)
{
    const double start = mt_now_ms();
    double pyramid_share;
    if (!mt_propose(detector, image, &pyramid_share) ||
        !suppress(detector, MT_PNET, detector->options.nms[1], MT_OVER_UNION))
        return false;
    regress_visible(detector, image);

    mtcnn_stage *stage = &result->stages[MT_PNET];
    for (int i = 0; i < detector->level_count; i++) {
        const mt_level *level = (const mt_level *)detector->buffers[MT_DETECTOR_LEVELS].data + i;
        stage->inputs += level->rows * level->columns;
    }
    const bool done = finish_stage(detector, MT_PNET, stage);
    square_all(detector);
    /* Each thread builds and uses parts of the pyramid: the wall time is split as theirs was. */
    const double wall = mt_now_ms() - start;
    result->pyramid_ms = wall * pyramid_share;
    stage->milliseconds = wall - result->pyramid_ms;
    return done;
}

static bool run_rnet(mtcnn_detector *detector, const mtcnn_image *image, mtcnn_stage *stage)
{
    const double start = mt_now_ms();
    stage->inputs = (int)detector->candidate_count;
    if (!mt_refine(detector, image, MT_RNET) ||
        !suppress(detector, MT_RNET, detector->options.nms[2], MT_OVER_UNION))
        return false;
    regress_visible(detector, image);
    const bool done = finish_stage(detector, MT_RNET, stage);
    square_all(detector);
    stage->milliseconds = mt_now_ms() - start;
    return done;
}

/* Step 8's suppression. Returns false if there is no memory. */
static bool suppress_faces(mtcnn_detector *detector)
{
    const mtcnn_options *options = &detector->options;
    if (options->final_nms == MTCNN_NMS_HARD)
        return suppress(detector, MT_ONET, options->nms[3], MT_OVER_SMALLER);
    mt_suppress_softly(detector->buffers[MT_DETECTOR_CANDIDATES].data, &detector->candidate_count,
                       (size_t)options->max_boxes[MT_ONET], options->thresholds[MT_ONET],
                       options->nms[3], MT_OVER_SMALLER);
    return true;
}

static bool run_onet(mtcnn_detector *detector, const mtcnn_image *image, mtcnn_stage *stage)
{
    const double start = mt_now_ms();
    stage->inputs = (int)detector->candidate_count;
    if (!mt_refine(detector, image, MT_ONET))
        return false;
    regress_visible(detector, image);
    if (!suppress_faces(detector))
        return false;
    const bool done = finish_stage(detector, MT_ONET, stage);
    stage->milliseconds = mt_now_ms() - start;
    return done;
}

/* Step 9. Returns false if there is no memory. */
static bool finish_result(mtcnn_detector *detector, const mtcnn_image *image, mtcnn_result *result)
{
    const mtcnn_stage *last = &result->stages[MT_ONET];
    result->count = last->count;
    result->faces = last->faces;
    if (!detector->options.clip)
        return true;
    if (!mt_reserve(&detector->buffers[MT_DETECTOR_CLIPPED], (size_t)last->count,
                    sizeof(mtcnn_face)))
        return false;
    mtcnn_face *faces = detector->buffers[MT_DETECTOR_CLIPPED].data;
    for (int i = 0; i < last->count; i++) {
        faces[i] = last->faces[i];
        mt_clip(faces[i].box, image->width, image->height);
    }
    result->faces = faces;
    return true;
}

/* The squares of boxes that lie in the picture, for RNet. Returns false if there is no memory. */
static bool add_boxes(mtcnn_detector *detector, const mtcnn_image *image, const mt_boxes *known)
{
    size_t count = detector->candidate_count;
    if (!mt_grow(&detector->buffers[MT_DETECTOR_CANDIDATES], count, count + known->count,
                 sizeof(mt_candidate)))
        return false;
    mt_candidate *candidates = detector->buffers[MT_DETECTOR_CANDIDATES].data;
    for (size_t i = 0; i < known->count; i++) {
        if (!mt_is_visible(known->boxes[i], image->width, image->height))
            continue;
        candidates[count] = (mt_candidate){0};
        memcpy(candidates[count].box, known->boxes[i], sizeof known->boxes[i]);
        mt_square(candidates[count++].box);
    }
    detector->candidate_count = count;
    return true;
}

static int run(mtcnn_detector *detector, const mtcnn_image *image, bool scan, const mt_boxes *known,
               mtcnn_result *result, mtcnn_error *error)
{
    const double start = mt_now_ms();
    detector->candidate_count = 0;
    if (scan) {
        const int status = mt_plan_pyramid(detector, image->width, image->height, error);
        if (status)
            return status;
        result->levels = detector->level_count;
    }
    if ((scan && !run_pnet(detector, image, result)) ||
        (known && !add_boxes(detector, image, known)) ||
        !run_rnet(detector, image, &result->stages[MT_RNET]) ||
        !run_onet(detector, image, &result->stages[MT_ONET]) ||
        !finish_result(detector, image, result) || !mt_equalise_lanes(detector))
        return mt_fail(error, MTCNN_ERROR_MEMORY,
                       "no memory to detect faces in a picture of %dx%d pixels with min_face %g; "
                       "use a smaller picture or a larger min_face",
                       image->width, image->height, detector->options.min_face);
    result->total_ms = mt_now_ms() - start;
    return MTCNN_OK;
}

int mt_cascade_run(mtcnn_detector *detector, const mtcnn_image *image, bool scan,
                   const mt_boxes *known, mtcnn_result *result, mtcnn_error *error)
{
    mt_forget_torn(detector);
    int status = mt_pool_renew(&detector->pool, error);
    if (status)
        return status;
    mt_use_begin(&detector->use);
    status = run(detector, image, scan, known, result, error);
    mt_use_end(&detector->use);
    return status;
}
