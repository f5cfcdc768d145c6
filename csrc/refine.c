/* Steps 7 and 8 of the cascade, up to the threshold: RNet and ONet on the candidates' squares. */
#include <string.h>

#include "cascade.h"

/*
 * Crops that go through a network at once: a quarter of all, so that there is work for some threads
 * even for a few faces, within these bounds. It depends on the crops alone, and so do the results.
 */
#define MIN_BATCH 4
#define MAX_BATCH 12

static int batch_size(size_t crops)
{
    const size_t quarter = (crops + 3) / 4;
    return quarter < MIN_BATCH ? MIN_BATCH : quarter > MAX_BATCH ? MAX_BATCH : (int)quarter;
}

/* A stage in progress. */
typedef struct mt_crop_run {
    mtcnn_detector *detector;
    const mtcnn_image *image;
    mt_stage stage;
    const mtcnn_network *network;
    int side;     /* pixels of a crop */
    int channels; /* of the output */
    int batch;    /* crops of a task */
} mt_crop_run;

/* A batch in progress. */
typedef struct mt_batch {
    const mt_crop_run *run;
    mt_lane *lane;
    size_t first; /* candidate */
} mt_batch;

/* Prepares the resizing of a candidate's square. Returns false if there is no memory. */
static bool begin_crop(const mt_batch *batch, int index)
{
    const mt_crop_run *run = batch->run;
    const mtcnn_detector *detector = run->detector;
    const mt_candidate *candidates = detector->buffers[MT_DETECTOR_CANDIDATES].data;
    const float *box = candidates[batch->first + index].box;
    const double side = run->side;
    const mt_span x = {box[0], ((double)box[2] - box[0]) / side, 0, run->side, run->image->width};
    const mt_span y = {box[1], ((double)box[3] - box[1]) / side, 0, run->side, run->image->height};
    return mt_resize_begin(&batch->lane->resizer, detector->model->kernels, run->image, x, y,
                           &detector->model->normalisation);
}

/* The batch as rows of pixels: what the stream asks for. */
static void crop_row(void *context, int row, float *pixels)
{
    const mt_batch *batch = context;
    const int side = batch->run->side;
    if (row % side == 0 && !begin_crop(batch, row / side))
        batch->lane->failed = true;
    if (!batch->lane->failed)
        mt_resize_row(&batch->lane->resizer, row % side, pixels);
}

/* A network that is not packed: the whole batch through each layer in turn. false: no memory. */
static bool run_batch(const mt_batch *batch, int count, float *output)
{
    const mt_crop_run *run = batch->run;
    mt_lane *lane = batch->lane;
    mt_workspace *workspace = &lane->workspaces[run->stage];
    if (mt_workspace_plan(workspace, run->network, count, run->side, run->side, NULL))
        return false;
    float *input = mt_workspace_input(workspace);
    for (int i = 0; i < count; i++, input += (size_t)3 * run->side * run->side)
        if (!begin_crop(batch, i) || !mt_resize_planar(&lane->resizer, input))
            return false;
    mtcnn_shape shape;
    memcpy(output, mt_workspace_run(workspace, &shape),
           (size_t)count * run->channels * sizeof *output);
    return true;
}

/* Puts a batch's outputs where they belong: landmarks are relative to the square that went in. */
static void take_outputs(const mt_batch *batch, int count, const float *output)
{
    const mt_crop_run *run = batch->run;
    mtcnn_detector *detector = run->detector;
    for (int i = 0; i < count; i++, output += run->channels) {
        const size_t index = batch->first + i;
        mt_candidate *candidate = (mt_candidate *)detector->buffers[MT_DETECTOR_CANDIDATES].data +
                                  index;
        candidate->score = output[0];
        memcpy(candidate->offsets, output + 1, sizeof candidate->offsets);
        candidate->level = 0;
        candidate->order = (int)index;
        if (run->stage != MT_ONET)
            continue;
        const float *box = candidate->box;
        float *landmarks = (float *)detector->buffers[MT_DETECTOR_LANDMARKS].data + 10 * index;
        for (int k = 0; k < 10; k++)
            landmarks[k] = (float)(box[k % 2] +
                                   output[5 + k] * ((double)box[k % 2 + 2] - box[k % 2]));
    }
}

static void crop_task(void *context, int task, int worker)
{
    const mt_crop_run *run = context;
    mtcnn_detector *detector = run->detector;
    mt_lane *lane = &detector->lanes[worker];
    if (lane->failed)
        return;
    mt_batch batch = {run, lane, (size_t)task * run->batch};
    const size_t left = detector->candidate_count - batch.first;
    const int count = left < (size_t)run->batch ? (int)left : run->batch;
    float output[MAX_BATCH * MT_FACE_CHANNELS];
    const bool done = run->network->packed
                          ? mt_packed_run_batch(&lane->stream, run->network->packed, count,
                                                crop_row, &batch, output)
                          : run_batch(&batch, count, output);
    if (done)
        take_outputs(&batch, count, output);
    else
        lane->failed = true;
}

/* Drops what the threshold drops. */
static void keep_passing(mtcnn_detector *detector, mt_stage stage)
{
    mt_candidate *candidates = detector->buffers[MT_DETECTOR_CANDIDATES].data;
    size_t kept = 0;
    for (size_t i = 0; i < detector->candidate_count; i++)
        if (candidates[i].score >= detector->options.thresholds[stage])
            candidates[kept++] = candidates[i];
    detector->candidate_count = kept;
}

bool mt_refine(mtcnn_detector *detector, const mtcnn_image *image, mt_stage stage)
{
    const mtcnn_network *network = detector->model->networks[stage];
    mt_crop_run run = {detector,
                       image,
                       stage,
                       network,
                       network->input.width,
                       network->layers[network->layer_count - 1].out.channels,
                       batch_size(detector->candidate_count)};
    const size_t count = detector->candidate_count;
    if (stage == MT_ONET &&
        !mt_reserve(&detector->buffers[MT_DETECTOR_LANDMARKS], count, 10 * sizeof(float)))
        return false;
    mt_pool_run(detector->pool, (int)((count + run.batch - 1) / run.batch), crop_task, &run);
    for (int i = 0; i < detector->options.threads; i++)
        if (detector->lanes[i].failed)
            return false;
    keep_passing(detector, stage);
    return true;
}
