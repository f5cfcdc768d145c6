/* Steps 2 to 4 of the cascade: PNet over all tiles of the pyramid, suppression within levels. */
#include <string.h>

#include "cascade.h"
#include "clock.h"

/* A tile in progress. */
typedef struct mt_tile_run {
    mtcnn_detector *detector;
    mt_lane *lane;
    const mt_tile *tile;
    mt_level *level;
    double x_scale, y_scale;      /* from the level's pixels to the image's */
    int left, top, width, height; /* of the tile, in the level's pixels; may begin outside */
} mt_tile_run;

/* Candidates that a lane gathers before it takes the lock to add them to its level's best. */
#define CHUNK 512

/* The lane that holds the best of a level, a free one at first; under the lock. */
static mt_lane *best_of(const mtcnn_detector *detector, int level)
{
    mt_lane *unused = NULL;
    for (int i = 0; i < detector->options.threads; i++) {
        mt_lane *lane = &detector->lanes[i];
        if (lane->best_level == level)
            return lane;
        if (lane->best_level < 0)
            unused = lane;
    }
    if (unused) /* else: levels that failed hold them all */
        unused->best_level = level;
    return unused;
}

/* Adds what the lane has gathered to its level's best, under the lock. false: no memory. */
static bool add_gathered(const mt_tile_run *run)
{
    mt_lane *lane = run->lane;
    const mt_candidate *candidates = lane->buffers[MT_LANE_CANDIDATES].data;
    const size_t most = (size_t)run->detector->options.max_boxes[MT_PNET];
    if (lane->candidate_count == 0)
        return true;
    mt_lane *best = best_of(run->detector, run->tile->level);
    bool done = best;
    for (size_t i = 0; i < lane->candidate_count && done; i++)
        done = mt_add_best(&best->buffers[MT_LANE_BEST], &best->best_count, most, &candidates[i]);
    lane->candidate_count = 0;
    return done;
}

/* A cell that passed the threshold, at row and column of its tile: output [5]. false: no memory. */
static bool add_candidate(const mt_tile_run *run, int row, int column, const float *output)
{
    const mtcnn_model *model = run->detector->model;
    mt_lane *lane = run->lane;
    const double cell = model->cell;
    row += run->tile->row;
    column += run->tile->column;
    if (lane->candidate_count == CHUNK) {
        mt_pool_lock(run->detector->pool);
        const bool done = add_gathered(run);
        mt_pool_unlock(run->detector->pool);
        if (!done)
            return false;
    }
    if (!mt_reserve(&lane->buffers[MT_LANE_CANDIDATES], CHUNK, sizeof(mt_candidate)))
        return false;
    mt_candidate *candidate = (mt_candidate *)lane->buffers[MT_LANE_CANDIDATES].data +
                              lane->candidate_count++;
    const double left = (double)model->stride * column - run->level->margin;
    const double top = (double)model->stride * row - run->level->margin;
    *candidate = (mt_candidate){
        .box = {(float)(left * run->x_scale), (float)(top * run->y_scale),
                (float)((left + cell) * run->x_scale), (float)((top + cell) * run->y_scale)},
        .score = output[0],
        .offsets = {output[1], output[2], output[3], output[4]},
        .level = run->tile->level,
        .order = row * run->level->columns + column,
    };
    return true;
}

/* The tile as rows of pixels: what the stream asks for. */
static void tile_row(void *context, int row, float *pixels)
{
    const mt_tile_run *run = context;
    const double start = mt_now_ms();
    mt_resize_row(&run->lane->resizer, row, pixels);
    run->lane->pyramid_ms += mt_now_ms() - start;
}

/* A packed PNet, row by row. */
static bool stream_tile(mt_tile_run *run)
{
    const mt_packed *packed = run->detector->model->networks[MT_PNET]->packed;
    mt_stream *stream = &run->lane->stream;
    if (!mt_stream_begin(stream, packed, run->height, run->width, tile_row, run))
        return false;
    const float threshold = run->detector->options.thresholds[MT_PNET];
    const float least = mt_packed_threshold(packed, threshold);
    for (int row = 0; row < run->tile->rows; row++) {
        const float *scores = mt_stream_scores(stream, row);
        for (int column = 0; column < run->tile->columns; column++) {
            if (!(scores[column] >= least))
                continue;
            float output[MT_PROPOSAL_CHANNELS];
            mt_stream_output(stream, column, output);
            if (output[0] >= threshold && !add_candidate(run, row, column, output))
                return false;
        }
    }
    return true;
}

/* Any other PNet: the whole tile through each layer in turn. */
static bool run_tile(mt_tile_run *run)
{
    const mtcnn_network *network = run->detector->model->networks[MT_PNET];
    mt_lane *lane = run->lane;
    mt_workspace *workspace = &lane->workspaces[MT_PNET];
    const double start = mt_now_ms();
    if (mt_workspace_plan(workspace, network, 1, run->height, run->width, NULL) ||
        !mt_resize_planar(&lane->resizer, mt_workspace_input(workspace)))
        return false;
    lane->pyramid_ms += mt_now_ms() - start;
    mtcnn_shape shape;
    const float *values = mt_workspace_run(workspace, &shape);
    const size_t plane = (size_t)shape.height * shape.width;
    for (int row = 0; row < shape.height; row++) {
        for (int column = 0; column < shape.width; column++, values++) {
            const float output[MT_PROPOSAL_CHANNELS] = {values[0], values[plane], values[2 * plane],
                                                        values[3 * plane], values[4 * plane]};
            if (output[0] >= run->detector->options.thresholds[MT_PNET] &&
                !add_candidate(run, row, column, output))
                return false;
        }
    }
    return true;
}

/* Pixels that `count` cells from the first on see. A level's last cells get all that is left of it:
   pooling may look at a part of a cell there. */
static int pixels_of(const mtcnn_model *model, int first, int count, int cells, int pixels)
{
    return first + count == cells ? pixels - model->stride * first
                                  : model->stride * (count - 1) + model->cell;
}

/* Step 4 for a level of which all tiles are done. false: no memory. */
static bool finish_level(const mt_tile_run *run, mt_lane *best)
{
    mtcnn_detector *detector = run->detector;
    const size_t most = (size_t)detector->options.max_boxes[MT_PNET];
    mt_candidate *candidates = best->buffers[MT_LANE_BEST].data;
    mt_sort(candidates, best->best_count);
    bool done = mt_suppress(candidates, &best->best_count, most, detector->options.nms[0],
                            MT_OVER_UNION, &run->lane->buffers[MT_LANE_KEPT]);
    mt_pool_lock(detector->pool);
    for (size_t i = 0; i < best->best_count && done; i++)
        done = mt_add_best(&detector->buffers[MT_DETECTOR_CANDIDATES], &detector->candidate_count,
                           most, &candidates[i]);
    best->best_count = 0;
    best->best_level = -1;
    mt_pool_unlock(detector->pool);
    return done;
}

/* The last tile of a level to end finishes the level. false: no memory. */
static bool finish_tile(const mt_tile_run *run)
{
    mt_pool_lock(run->detector->pool);
    const bool done = add_gathered(run), last = --run->level->tiles_left == 0;
    mt_lane *best = done && last ? best_of(run->detector, run->tile->level) : NULL;
    mt_pool_unlock(run->detector->pool);
    return best ? finish_level(run, best) : done;
}

/* What all tasks of a run need. */
typedef struct mt_proposal_run {
    mtcnn_detector *detector;
    const mtcnn_image *image;
} mt_proposal_run;

static void propose_task(void *context, int task, int worker)
{
    const mt_proposal_run *all = context;
    mtcnn_detector *detector = all->detector;
    const mtcnn_model *model = detector->model;
    const mtcnn_image *image = all->image;
    const mt_tile *tile = (const mt_tile *)detector->buffers[MT_DETECTOR_TILES].data + task;
    mt_level *level = (mt_level *)detector->buffers[MT_DETECTOR_LEVELS].data + tile->level;
    mt_lane *lane = &detector->lanes[worker];
    const int margin = level->margin;
    if (lane->failed)
        return;

    mt_tile_run run = {
        .detector = detector,
        .lane = lane,
        .tile = tile,
        .level = level,
        .x_scale = (double)image->width / level->width,
        .y_scale = (double)image->height / level->height,
        .left = model->stride * tile->column - margin,
        .top = model->stride * tile->row - margin,
        .width = pixels_of(model, tile->column, tile->columns, level->columns,
                           level->width + 2 * margin),
        .height = pixels_of(model, tile->row, tile->rows, level->rows, level->height + 2 * margin),
    };
    const mt_span x = {0.0, run.x_scale, run.left, run.width, image->width};
    const mt_span y = {0.0, run.y_scale, run.top, run.height, image->height};
    const double start = mt_now_ms();
    lane->failed = !mt_resize_begin(&lane->resizer, model->kernels, image, x, y,
                                    &model->normalisation) ||
                   !(model->networks[MT_PNET]->packed ? stream_tile : run_tile)(&run) ||
                   !finish_tile(&run);
    lane->task_ms += mt_now_ms() - start;
}

bool mt_propose(mtcnn_detector *detector, const mtcnn_image *image, double *pyramid_share)
{
    const int lanes = detector->options.threads;
    for (int i = 0; i < lanes; i++) {
        mt_lane *lane = &detector->lanes[i];
        lane->candidate_count = lane->best_count = 0;
        lane->best_level = -1;
        lane->pyramid_ms = lane->task_ms = 0.0;
        lane->failed = false;
    }
    detector->candidate_count = 0;
    mt_proposal_run run = {detector, image};
    mt_pool_run(detector->pool, detector->tile_count, propose_task, &run);

    double pyramid_ms = 0.0, task_ms = 0.0;
    for (int i = 0; i < lanes; i++) {
        const mt_lane *lane = &detector->lanes[i];
        if (lane->failed)
            return false;
        pyramid_ms += lane->pyramid_ms;
        task_ms += lane->task_ms;
    }
    *pyramid_share = task_ms > 0.0 ? pyramid_ms / task_ms : 0.0;
    return true;
}
