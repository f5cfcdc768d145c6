#define _POSIX_C_SOURCE 200809L /* clock_gettime */
#include "cascade.h"

#include <limits.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "error.h"

/* Pixels of a level that one band covers: its feature maps then stay near the cache. */
#define BAND_PIXELS 65536
/* But no fewer output rows than this, or the rows that neighbours share would cost too much. */
#define BAND_ROWS 32
/* Crops of one batch of RNet or ONet. */
#define BATCH 32
/* No sensible pyramid has more levels; scale_factor 0.99 makes some 700 of a large picture. */
#define MAX_LEVELS 1024

static double now_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return 1e3 * (double)time.tv_sec + 1e-6 * (double)time.tv_nsec;
}

/* ---- step 1: the pyramid's plan --------------------------------------------------------------- */

static int plan_level(mtcnn_detector *detector, int width, int height, double face, mt_level *level,
                      mtcnn_error *error)
{
    const mtcnn_model *model = detector->model;
    const double scale = model->cell / face;
    const double w = floor(width * scale + 0.5), h = floor(height * scale + 0.5);
    if (w * h > INT_MAX)
        return mt_fail(error, MTCNN_ERROR_ARGUMENT,
                       "a picture of %dx%d pixels grows to %.0fx%.0f with min_face %g: use a "
                       "larger min_face",
                       width, height, w, h, detector->options.min_face);
    level->width = w > model->cell ? (int)w : model->cell;
    level->height = h > model->cell ? (int)h : model->cell;
    mtcnn_shape shape;
    int status = mt_workspace_shape(&detector->lanes[0].workspaces[MT_PNET],
                                    model->networks[MT_PNET], level->height, level->width, &shape,
                                    error);
    level->rows = shape.height;
    level->columns = shape.width;
    return status;
}

static int plan_pyramid(mtcnn_detector *detector, int width, int height, mtcnn_error *error)
{
    detector->level_count = detector->band_count = 0;
    const int shorter = width < height ? width : height;
    double face = detector->options.min_face;
    for (; face <= shorter; face /= detector->options.scale_factor) {
        if (detector->level_count == MAX_LEVELS)
            return mt_fail(error, MTCNN_ERROR_ARGUMENT,
                           "scale_factor %g makes more than %d pyramid levels of a picture of "
                           "%dx%d pixels; use a smaller one",
                           detector->options.scale_factor, MAX_LEVELS, width, height);
        size_t count = (size_t)detector->level_count;
        if (!mt_grow(&detector->levels, count, count + 1, sizeof(mt_level)))
            return mt_fail_memory(error, "the pyramid", (count + 1) * sizeof(mt_level));
        mt_level *level = (mt_level *)detector->levels.data + count;
        int status = plan_level(detector, width, height, face, level, error);
        if (status)
            return status;

        const int fitting = BAND_PIXELS / level->width / detector->model->stride;
        const int rows = fitting > BAND_ROWS ? fitting : BAND_ROWS;
        for (int first = 0; first < level->rows; first += rows) {
            size_t bands = (size_t)detector->band_count;
            if (!mt_grow(&detector->bands, bands, bands + 1, sizeof(mt_band)))
                return mt_fail_memory(error, "the pyramid", (bands + 1) * sizeof(mt_band));
            const int left = level->rows - first;
            ((mt_band *)detector->bands.data)[detector->band_count++] = (mt_band){
                detector->level_count, first, left < rows ? left : rows};
        }
        detector->level_count++;
    }
    return MTCNN_OK;
}

/* ---- steps 2 and 3: PNet over the pyramid ----------------------------------------------------- */

/* A stage in progress: what its tasks need. */
typedef struct mt_run {
    mtcnn_detector *detector;
    const mtcnn_image *image;
    mt_stage stage;
    int channels; /* of the stage's output */
} mt_run;

/* One cell that passed the threshold: output [5]. Returns false if there is no memory. */
static bool add_candidate(mt_lane *lane, const mt_run *run, int level_index, int row, int column,
                          const float *output)
{
    const mtcnn_model *model = run->detector->model;
    const mt_level *level = (const mt_level *)run->detector->levels.data + level_index;
    const double cell = model->cell, stride = model->stride;
    const double x_scale = (double)run->image->width / level->width;
    const double y_scale = (double)run->image->height / level->height;
    if (!mt_grow(&lane->candidates, lane->candidate_count, lane->candidate_count + 1,
                 sizeof(mt_candidate)))
        return false;
    mt_candidate *candidate = (mt_candidate *)lane->candidates.data + lane->candidate_count++;
    *candidate = (mt_candidate){
        .face = {.box = {(float)(stride * column * x_scale), (float)(stride * row * y_scale),
                         (float)((stride * column + cell) * x_scale),
                         (float)((stride * row + cell) * y_scale)},
                 .score = output[0]},
        .offsets = {output[1], output[2], output[3], output[4]},
        .level = level_index,
        .order = (int64_t)row * level->columns + column,
    };
    return true;
}

/* The band as rows of pixels: what the kernels' stream asks for. */
typedef struct mt_band_source {
    mt_lane *lane;
    int first; /* row of the level */
} mt_band_source;

static void band_row(void *context, int row, float *pixels)
{
    const mt_band_source *source = context;
    const double start = now_ms();
    mt_resize_row(&source->lane->resizer, source->first + row, pixels);
    source->lane->pyramid_ms += now_ms() - start;
}

/* PNet on a band of `rows` pixel rows from `first` on, row by row. */
static bool stream_band(mt_lane *lane, const mt_run *run, const mt_band *band, int first, int rows)
{
    const mtcnn_detector *detector = run->detector;
    const mt_packed *packed = detector->model->networks[MT_PNET]->packed;
    const mt_level *level = (const mt_level *)detector->levels.data + band->level;
    mt_band_source source = {lane, first};
    if (!mt_stream_begin(&lane->stream, packed, rows, level->width, band_row, &source))
        return false;
    const int step = mt_packed_output_step(packed);
    const float threshold = detector->options.thresholds[MT_PNET];
    const float least = mt_packed_least(packed, threshold);
    for (int row = 0; row < band->rows; row++) {
        const float *cell = mt_stream_row(&lane->stream, row);
        for (int column = 0; column < level->columns; column++, cell += step) {
            if (!(cell[0] >= least))
                continue;
            float output[MT_MOST_OUTPUTS];
            memcpy(output, cell, (size_t)run->channels * sizeof *output);
            mt_packed_activate(packed, output);
            if (output[0] >= threshold &&
                !add_candidate(lane, run, band->level, band->first + row, column, output))
                return false;
        }
    }
    return true;
}

/* The same for a network that is not packed: the whole band through each layer in turn. */
static bool run_band(mt_lane *lane, const mt_run *run, const mt_band *band, int first, int rows)
{
    const mtcnn_detector *detector = run->detector;
    const mtcnn_network *network = detector->model->networks[MT_PNET];
    const mt_level *level = (const mt_level *)detector->levels.data + band->level;
    mt_workspace *workspace = &lane->workspaces[MT_PNET];
    const double start = now_ms();
    if (mt_workspace_plan(workspace, network, 1, rows, level->width, NULL) ||
        !mt_resize_planar(&lane->resizer, first, rows, mt_workspace_input(workspace)))
        return false;
    lane->pyramid_ms += now_ms() - start;
    mtcnn_shape shape;
    const float *values = mt_workspace_run(workspace, &shape);
    const size_t plane = (size_t)shape.height * shape.width;
    for (size_t i = 0; i < plane; i++, values++) {
        if (!(values[0] >= detector->options.thresholds[MT_PNET]))
            continue;
        const float output[5] = {values[0], values[plane], values[2 * plane], values[3 * plane],
                                 values[4 * plane]};
        if (!add_candidate(lane, run, band->level, band->first + (int)(i / shape.width),
                           (int)(i % shape.width), output))
            return false;
    }
    return true;
}

static void pnet_task(void *context, int task, int worker)
{
    const mt_run *run = context;
    const mtcnn_detector *detector = run->detector;
    const mtcnn_model *model = detector->model;
    mt_lane *lane = &detector->lanes[worker];
    const mt_band *band = (const mt_band *)detector->bands.data + task;
    const mt_level *level = (const mt_level *)detector->levels.data + band->level;
    if (lane->status)
        return;

    /* The last band takes all rows that are left: pooling may look at a part of a cell there. */
    const int first = model->stride * band->first;
    const bool last = band->first + band->rows == level->rows;
    const int rows = last ? level->height - first : model->stride * (band->rows - 1) + model->cell;
    const mt_span x = {0.0, run->image->width, level->width, run->image->width};
    const mt_span y = {0.0, run->image->height, level->height, run->image->height};
    const bool packed = model->networks[MT_PNET]->packed;
    const double start = now_ms();
    if (!mt_resize_begin(&lane->resizer, detector->kernels, run->image, x, y,
                         &model->normalisation) ||
        !(packed ? stream_band : run_band)(lane, run, band, first, rows))
        lane->status = MTCNN_ERROR_MEMORY;
    lane->task_ms += now_ms() - start;
}

/* ---- steps 7 and 8: RNet and ONet over crops -------------------------------------------------- */

/* The crops of a batch as rows of pixels. */
typedef struct mt_crop_source {
    mt_lane *lane;
    const mt_run *run;
    size_t first; /* candidate */
    int side;     /* pixels of a crop */
    bool *failed; /* for want of memory */
} mt_crop_source;

/* Prepares the resizing of a candidate's square. Returns false if there is no memory. */
static bool begin_crop(const mt_crop_source *source, int index)
{
    const mtcnn_detector *detector = source->run->detector;
    const mtcnn_image *image = source->run->image;
    const mt_candidate *candidate = (const mt_candidate *)detector->candidates.data +
                                    source->first + index;
    const float *box = candidate->face.box;
    const mt_span x = {box[0], (double)box[2] - box[0], source->side, image->width};
    const mt_span y = {box[1], (double)box[3] - box[1], source->side, image->height};
    return mt_resize_begin(&source->lane->resizer, detector->kernels, image, x, y,
                           &detector->model->normalisation);
}

static void crop_row(void *context, int row, float *pixels)
{
    const mt_crop_source *source = context;
    if (row % source->side == 0 && !begin_crop(source, row / source->side))
        *source->failed = true;
    if (!*source->failed)
        mt_resize_row(&source->lane->resizer, row % source->side, pixels);
}

static void crop_task(void *context, int task, int worker)
{
    const mt_run *run = context;
    mtcnn_detector *detector = run->detector;
    const mtcnn_network *network = detector->model->networks[run->stage];
    mt_lane *lane = &detector->lanes[worker];
    if (lane->status)
        return;

    const size_t first = (size_t)task * BATCH;
    const size_t left = detector->candidate_count - first;
    const int batch = left < BATCH ? (int)left : BATCH;
    const int side = network->input.width;
    float *output = (float *)detector->outputs.data + first * run->channels;
    bool failed = false;
    mt_crop_source source = {lane, run, first, side, &failed};
    if (network->packed) {
        failed |= !mt_packed_run_batch(&lane->stream, &lane->scratch, network->packed, batch,
                                       crop_row, &source, output);
    } else {
        mt_workspace *workspace = &lane->workspaces[run->stage];
        failed = mt_workspace_plan(workspace, network, batch, side, side, NULL);
        float *input = failed ? NULL : mt_workspace_input(workspace);
        for (int i = 0; i < batch && !failed; i++, input += 3 * side * side)
            failed = !begin_crop(&source, i) || !mt_resize_planar(&lane->resizer, 0, side, input);
        mtcnn_shape shape;
        if (!failed)
            memcpy(output, mt_workspace_run(workspace, &shape),
                   (size_t)batch * run->channels * sizeof *output);
    }
    if (failed)
        lane->status = MTCNN_ERROR_MEMORY;
}

/* Runs RNet or ONet on all candidates, which are squares: outputs [candidate_count][channels]. */
static int run_crops(mt_run *run)
{
    mtcnn_detector *detector = run->detector;
    const size_t count = detector->candidate_count;
    if (!mt_reserve(&detector->outputs, count * (size_t)run->channels, sizeof(float)))
        return MTCNN_ERROR_MEMORY;
    mt_pool_run(detector->pool, (int)((count + BATCH - 1) / BATCH), crop_task, run);
    for (int i = 0; i < detector->options.threads; i++)
        if (detector->lanes[i].status)
            return detector->lanes[i].status;
    return MTCNN_OK;
}

/* Takes scores, offsets and landmarks from the outputs, and drops what the threshold drops. */
static void keep_passing(mt_run *run)
{
    mtcnn_detector *detector = run->detector;
    mt_candidate *candidates = detector->candidates.data;
    size_t kept = 0;
    for (size_t i = 0; i < detector->candidate_count; i++) {
        const float *output = (float *)detector->outputs.data + i * run->channels;
        if (!(output[0] >= detector->options.thresholds[run->stage]))
            continue;
        mt_candidate candidate = candidates[i];
        candidate.face.score = output[0];
        memcpy(candidate.offsets, output + 1, sizeof candidate.offsets);
        if (run->stage == MT_ONET) {
            const float *box = candidate.face.box;
            for (int k = 0; k < 10; k++)
                candidate.face.landmarks[k] =
                    (float)(box[k % 2] + output[5 + k] * ((double)box[k % 2 + 2] - box[k % 2]));
        }
        candidates[kept++] = candidate;
    }
    detector->candidate_count = kept;
}

/* ---- steps 4 to 6 ----------------------------------------------------------------------------- */

/* Within each level first, then over all of them. */
static void suppress_proposals(mtcnn_detector *detector)
{
    mt_candidate *candidates = detector->candidates.data;
    const size_t count = detector->candidate_count;
    mt_sort_by_level(candidates, count);
    size_t kept = 0;
    for (size_t begin = 0, end; begin < count; begin = end) {
        for (end = begin; end < count && candidates[end].level == candidates[begin].level;)
            end++;
        size_t left = mt_suppress(candidates + begin, end - begin, detector->options.nms[0],
                                  MT_OVER_UNION);
        memmove(candidates + kept, candidates + begin, left * sizeof *candidates);
        kept += left;
    }
    mt_sort_by_score(candidates, kept);
    detector->candidate_count = mt_suppress(candidates, kept, detector->options.nms[1],
                                            MT_OVER_UNION);
}

static void regress_visible(mtcnn_detector *detector, const mtcnn_image *image)
{
    mt_candidate *candidates = detector->candidates.data;
    size_t kept = 0;
    for (size_t i = 0; i < detector->candidate_count; i++) {
        mt_regress(&candidates[i]);
        if (mt_is_visible(candidates[i].face.box, image->width, image->height))
            candidates[kept++] = candidates[i];
    }
    detector->candidate_count = kept;
}

/* Keeps what the stage hands on for the caller, and ends the stage. */
static int finish_stage(mtcnn_detector *detector, mt_stage stage, mtcnn_stage *result)
{
    const mt_candidate *candidates = detector->candidates.data;
    if (!mt_reserve(&detector->faces[stage], detector->candidate_count, sizeof(mtcnn_face)))
        return MTCNN_ERROR_MEMORY;
    mtcnn_face *faces = detector->faces[stage].data;
    for (size_t i = 0; i < detector->candidate_count; i++)
        faces[i] = candidates[i].face;
    result->faces = faces;
    result->count = (int)detector->candidate_count;
    return MTCNN_OK;
}

static void square_all(mtcnn_detector *detector)
{
    mt_candidate *candidates = detector->candidates.data;
    for (size_t i = 0; i < detector->candidate_count; i++)
        mt_square(candidates[i].face.box);
}

/* ---- the stages ------------------------------------------------------------------------------- */

static int run_pnet(mt_run *run, mtcnn_result *result)
{
    mtcnn_detector *detector = run->detector;
    const double start = now_ms();
    for (int i = 0; i < detector->options.threads; i++) {
        detector->lanes[i].candidate_count = 0;
        detector->lanes[i].pyramid_ms = detector->lanes[i].task_ms = 0.0;
        detector->lanes[i].status = MTCNN_OK;
    }
    mt_pool_run(detector->pool, detector->band_count, pnet_task, run);

    detector->candidate_count = 0;
    double pyramid_ms = 0.0, task_ms = 0.0;
    for (int i = 0; i < detector->options.threads; i++) {
        const mt_lane *lane = &detector->lanes[i];
        if (lane->status)
            return lane->status;
        if (!mt_grow(&detector->candidates, detector->candidate_count,
                     detector->candidate_count + lane->candidate_count, sizeof(mt_candidate)))
            return MTCNN_ERROR_MEMORY;
        if (lane->candidate_count)
            memcpy((mt_candidate *)detector->candidates.data + detector->candidate_count,
                   lane->candidates.data, lane->candidate_count * sizeof(mt_candidate));
        detector->candidate_count += lane->candidate_count;
        pyramid_ms += lane->pyramid_ms;
        task_ms += lane->task_ms;
    }
    suppress_proposals(detector);
    regress_visible(detector, run->image);

    mtcnn_stage *stage = &result->stages[MT_PNET];
    for (int i = 0; i < detector->level_count; i++) {
        const mt_level *level = (const mt_level *)detector->levels.data + i;
        stage->inputs += level->rows * level->columns;
    }
    int status = finish_stage(detector, MT_PNET, stage);
    square_all(detector);

    /* Threads build and use the pyramid by turns: the wall time is split as their time was. */
    const double wall = now_ms() - start;
    const double share = task_ms > 0.0 ? pyramid_ms / task_ms : 0.0;
    result->pyramid_ms = wall * share;
    stage->milliseconds = wall - result->pyramid_ms;
    return status;
}

static int run_rnet(mt_run *run, mtcnn_stage *stage)
{
    mtcnn_detector *detector = run->detector;
    const double start = now_ms();
    stage->inputs = (int)detector->candidate_count;
    int status = run_crops(run);
    if (status)
        return status;
    keep_passing(run);
    mt_sort_by_score(detector->candidates.data, detector->candidate_count);
    detector->candidate_count = mt_suppress(detector->candidates.data, detector->candidate_count,
                                            detector->options.nms[2], MT_OVER_UNION);
    regress_visible(detector, run->image);
    status = finish_stage(detector, MT_RNET, stage);
    square_all(detector);
    stage->milliseconds = now_ms() - start;
    return status;
}

static int run_onet(mt_run *run, mtcnn_stage *stage)
{
    mtcnn_detector *detector = run->detector;
    const double start = now_ms();
    stage->inputs = (int)detector->candidate_count;
    int status = run_crops(run);
    if (status)
        return status;
    keep_passing(run);
    regress_visible(detector, run->image);
    mt_sort_by_score(detector->candidates.data, detector->candidate_count);
    detector->candidate_count = mt_suppress(detector->candidates.data, detector->candidate_count,
                                            detector->options.nms[3], MT_OVER_SMALLER);
    status = finish_stage(detector, MT_ONET, stage);
    stage->milliseconds = now_ms() - start;
    return status;
}

static mt_run stage_run(mtcnn_detector *detector, const mtcnn_image *image, mt_stage stage)
{
    const mtcnn_network *network = detector->model->networks[stage];
    return (mt_run){detector, image, stage, network->layers[network->layer_count - 1].out.channels};
}

static int finish_result(mtcnn_detector *detector, const mtcnn_image *image, mtcnn_result *result)
{
    const mtcnn_stage *last = &result->stages[MT_ONET];
    result->count = last->count;
    result->faces = last->faces;
    if (!detector->options.clip)
        return MTCNN_OK;
    if (!mt_reserve(&detector->clipped, (size_t)last->count, sizeof(mtcnn_face)))
        return MTCNN_ERROR_MEMORY;
    mtcnn_face *faces = detector->clipped.data;
    for (int i = 0; i < last->count; i++) {
        faces[i] = last->faces[i];
        mt_clip(faces[i].box, image->width, image->height);
    }
    result->faces = faces;
    return MTCNN_OK;
}

int mt_cascade_run(mtcnn_detector *detector, const mtcnn_image *image, mtcnn_result *result,
                   mtcnn_error *error)
{
    const double start = now_ms();
    int status = plan_pyramid(detector, image->width, image->height, error);
    if (status)
        return status;
    result->levels = detector->level_count;

    mt_run pnet = stage_run(detector, image, MT_PNET);
    mt_run rnet = stage_run(detector, image, MT_RNET);
    mt_run onet = stage_run(detector, image, MT_ONET);
    if ((status = run_pnet(&pnet, result)) ||
        (status = run_rnet(&rnet, &result->stages[MT_RNET])) ||
        (status = run_onet(&onet, &result->stages[MT_ONET])) ||
        (status = finish_result(detector, image, result)))
        return mt_fail(error, status,
                       "no memory to detect faces in a picture of %dx%d pixels with min_face %g; "
                       "use a smaller picture or a larger min_face",
                       image->width, image->height, detector->options.min_face);
    result->total_ms = now_ms() - start;
    return MTCNN_OK;
}
