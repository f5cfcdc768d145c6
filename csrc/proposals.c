/* Steps 2 and 3 of the cascade: PNet over all tiles of the pyramid. */
#include <string.h>

#include "cascade.h"

/* A tile in progress. */
typedef struct mt_tile_run {
    const mtcnn_detector *detector;
    mt_lane *lane;
    const mt_tile *tile;
    const mt_level *level;
    double x_scale, y_scale;      /* from the level's pixels to the image's */
    int left, top, width, height; /* of the tile, in the level's pixels */
} mt_tile_run;

/* A cell that passed the threshold, at row and column of its tile: output [5]. false: no memory. */
static bool add_candidate(const mt_tile_run *run, int row, int column, const float *output)
{
    const mtcnn_model *model = run->detector->model;
    mt_lane *lane = run->lane;
    const double cell = model->cell, stride = model->stride;
    row += run->tile->row;
    column += run->tile->column;
    if (!mt_grow(&lane->candidates, lane->candidate_count, lane->candidate_count + 1,
                 sizeof(mt_candidate)))
        return false;
    mt_candidate *candidate = (mt_candidate *)lane->candidates.data + lane->candidate_count++;
    *candidate = (mt_candidate){
        .face = {.box = {(float)(stride * column * run->x_scale),
                         (float)(stride * row * run->y_scale),
                         (float)((stride * column + cell) * run->x_scale),
                         (float)((stride * row + cell) * run->y_scale)},
                 .score = output[0]},
        .offsets = {output[1], output[2], output[3], output[4]},
        .level = run->tile->level,
        .order = (int64_t)row * run->level->columns + column,
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
    const float least = mt_packed_least(packed, threshold);
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

/* What all tasks of a run need. */
typedef struct mt_proposal_run {
    mtcnn_detector *detector;
    const mtcnn_image *image;
} mt_proposal_run;

static void propose_task(void *context, int task, int worker)
{
    const mt_proposal_run *all = context;
    const mtcnn_detector *detector = all->detector;
    const mtcnn_model *model = detector->model;
    const mtcnn_image *image = all->image;
    const mt_tile *tile = (const mt_tile *)detector->tiles.data + task;
    const mt_level *level = (const mt_level *)detector->levels.data + tile->level;
    mt_lane *lane = &detector->lanes[worker];
    if (lane->failed)
        return;

    mt_tile_run run = {
        .detector = detector,
        .lane = lane,
        .tile = tile,
        .level = level,
        .x_scale = (double)image->width / level->width,
        .y_scale = (double)image->height / level->height,
        .left = model->stride * tile->column,
        .top = model->stride * tile->row,
        .width = pixels_of(model, tile->column, tile->columns, level->columns, level->width),
        .height = pixels_of(model, tile->row, tile->rows, level->rows, level->height),
    };
    const mt_span x = {0.0, run.x_scale, run.left, run.width, image->width};
    const mt_span y = {0.0, run.y_scale, run.top, run.height, image->height};
    const double start = mt_now_ms();
    lane->failed = !mt_resize_begin(&lane->resizer, detector->kernels, image, x, y,
                                    &model->normalisation) ||
                   !(model->networks[MT_PNET]->packed ? stream_tile : run_tile)(&run);
    lane->task_ms += mt_now_ms() - start;
}

bool mt_propose(mtcnn_detector *detector, const mtcnn_image *image, double *pyramid_share)
{
    const int lanes = detector->options.threads;
    for (int i = 0; i < lanes; i++) {
        mt_lane *lane = &detector->lanes[i];
        lane->candidate_count = 0;
        lane->pyramid_ms = lane->task_ms = 0.0;
        lane->failed = false;
    }
    mt_proposal_run run = {detector, image};
    mt_pool_run(detector->pool, detector->tile_count, propose_task, &run);

    detector->candidate_count = 0;
    double pyramid_ms = 0.0, task_ms = 0.0;
    for (int i = 0; i < lanes; i++) {
        const mt_lane *lane = &detector->lanes[i];
        const size_t count = detector->candidate_count + lane->candidate_count;
        if (lane->failed ||
            !mt_grow(&detector->candidates, detector->candidate_count, count, sizeof(mt_candidate)))
            return false;
        if (lane->candidate_count)
            memcpy((mt_candidate *)detector->candidates.data + detector->candidate_count,
                   lane->candidates.data, lane->candidate_count * sizeof(mt_candidate));
        detector->candidate_count = count;
        pyramid_ms += lane->pyramid_ms;
        task_ms += lane->task_ms;
    }
    /* The next time any lane may find all of them. */
    for (int i = 0; i < lanes; i++)
        if (!mt_reserve(&detector->lanes[i].candidates, detector->candidate_count,
                        sizeof(mt_candidate)))
            return false;
    *pyramid_share = task_ms > 0.0 ? pyramid_ms / task_ms : 0.0;
    return true;
}
