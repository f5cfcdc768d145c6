#include "packed.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "network.h"

/* More rows than any kernel of a packed network has. */
#define MOST_ROWS 16
#define MOST_STEPS 32

typedef enum mt_step_kind { MT_CONVOLVE, MT_POOL } mt_step_kind;

typedef struct mt_step {
    mt_step_kind kind;
    int size, stride;
    int pad; /* pooling: 0, or 1 for a window that may begin on the last pixel */
    int in_channels;
    int in_step, out_step; /* floats from one pixel to the next */
    int panel;             /* vectors that are computed together */
    float *weights, *biases, *slopes;
} mt_step;

struct mt_packed {
    const mt_kernels *kernels;
    mtcnn_shape input;
    int count;
    mt_step steps[MOST_STEPS];
    int spatial; /* steps before the first convolution that, at the cfg's own size, covers its input */
    int outputs;
    mt_activation activations[MT_MOST_OUTPUTS];
};

/* ---- packing ---------------------------------------------------------------------------------- */

/* The tensor that a route of one layer stands for. */
static int resolve(const mtcnn_network *network, int tensor)
{
    while (tensor > 0) {
        const mt_layer *layer = &network->layers[tensor - 1];
        const bool alias = layer->type == &mt_route && layer->input_count == 1;
        if (!alias && layer->type != &mt_dropout)
            break;
        tensor = layer->inputs[0];
    }
    return tensor;
}

static bool is_plain_convolution(const mt_layer *layer)
{
    return layer->type == &mt_convolutional && layer->pad == 0 && layer->stride == 1 &&
           layer->groups == 1 && layer->size <= MOST_ROWS;
}

/* The slope below zero of an activation that is linear on both sides. */
static bool slope_of(mt_activation activation, float *slope)
{
    switch (activation) {
    case MT_LINEAR: *slope = 1.0f; return true;
    case MT_RELU: *slope = 0.0f; return true;
    case MT_LEAKY: *slope = 0.1f; return true;
    case MT_RELIE: *slope = 0.01f; return true;
    default: return false;
    }
}

static int padded(int channels, int vector)
{
    return (channels + vector - 1) / vector * vector;
}

/*
 * Adds a convolution whose output channels are those of `parts` layers in turn (one, but for
 * heads); slopes [channels] or NULL for linear. Returns false if there is no memory.
 */
static bool add_convolution(mt_packed *packed, const mt_layer *const *parts, int part_count,
                            const float *slopes, int in_step)
{
    const int vector = packed->kernels->vector;
    const mt_layer *first = parts[0];
    const int size = first->size, ins = first->in.channels;
    int outs = 0;
    for (int i = 0; i < part_count; i++)
        outs += parts[i]->out.channels;

    mt_step *step = &packed->steps[packed->count++];
    *step = (mt_step){.kind = MT_CONVOLVE,
                      .size = size,
                      .stride = 1,
                      .in_channels = ins,
                      .in_step = in_step,
                      .out_step = padded(outs, vector)};
    const int vectors = step->out_step / vector;
    step->panel = vectors % 2 ? 1 : 2;
    /* Few outputs in a row leave registers for more channels. */
    if (packed->kernels->most_panel == 4 && vectors % 4 == 0 && first->out.width <= 6 && size > 1)
        step->panel = 4;

    const size_t inputs = (size_t)size * size * ins;
    step->weights = calloc(inputs * step->out_step, sizeof(float));
    step->biases = calloc((size_t)step->out_step, sizeof(float));
    step->slopes = calloc((size_t)step->out_step, sizeof(float));
    if (!step->weights || !step->biases || !step->slopes)
        return false;

    const int panel = step->panel * vector;
    int c = 0;
    for (int i = 0; i < part_count; i++) {
        for (int o = 0; o < parts[i]->out.channels; o++, c++) {
            float *to = step->weights + (size_t)(c / panel) * inputs * panel + c % panel;
            for (int k = 0; k < size * size; k++) /* kernel rows, then columns, then channels */
                for (int in = 0; in < ins; in++, to += panel)
                    *to = parts[i]->weights[((size_t)o * ins + in) * size * size + k];
            step->biases[c] = parts[i]->biases[o];
            step->slopes[c] = slopes ? slopes[c] : 1.0f;
        }
    }
    return true;
}

/* What was found while packing: go on, or not of the form, or no memory. */
typedef enum mt_found { MT_FITS, MT_OTHER, MT_NO_MEMORY } mt_found;

/* Packs the layers from the input to the tensor `last`, which must be a chain. */
static mt_found add_chain(mt_packed *packed, const mtcnn_network *network, int last)
{
    int tensor = 0, in_step = network->input.channels;
    for (int i = 0; tensor != last; i++) {
        if (i == network->layer_count || packed->count == MOST_STEPS - 1)
            return MT_OTHER;
        const mt_layer *layer = &network->layers[i];
        if (resolve(network, i + 1) == tensor)
            continue; /* another name of it */
        if (resolve(network, layer->inputs[0]) != tensor)
            return MT_OTHER;
        if (layer->type == &mt_maxpool && layer->pad <= 1 && layer->pad < layer->size &&
            layer->size <= MOST_ROWS && packed->count > 0) {
            packed->steps[packed->count++] = (mt_step){.kind = MT_POOL,
                                                       .size = layer->size,
                                                       .stride = layer->stride,
                                                       .pad = layer->pad,
                                                       .in_channels = layer->in.channels,
                                                       .in_step = in_step,
                                                       .out_step = in_step};
        } else if (is_plain_convolution(layer)) {
            float slope;
            if (!slope_of(layer->activation, &slope))
                return MT_OTHER;
            const mt_layer *next = i + 1 < network->layer_count ? layer + 1 : NULL;
            const bool prelu = next && next->type == &mt_prelu && next->inputs[0] == i + 1 &&
                               layer->activation == MT_LINEAR && last != i + 1;
            float slopes[1024];
            if (layer->out.channels > 1024)
                return MT_OTHER;
            for (int c = 0; c < layer->out.channels; c++)
                slopes[c] = prelu ? next->slopes[next->groups == 1 ? 0 : c] : slope;
            if (!add_convolution(packed, &layer, 1, slopes, in_step))
                return MT_NO_MEMORY;
            i += prelu;
        } else {
            return MT_OTHER;
        }
        in_step = packed->steps[packed->count - 1].out_step;
        tensor = i + 1;
    }
    return packed->count ? MT_FITS : MT_OTHER;
}

/* The convolutions that the last layer joins, in its order; all must read one tensor. */
static mt_found add_heads(mt_packed *packed, const mtcnn_network *network)
{
    const mt_layer *joint = &network->layers[network->layer_count - 1];
    const mt_layer *heads[MT_MOST_OUTPUTS];
    if (joint->type != &mt_route || joint->input_count > MT_MOST_OUTPUTS)
        return MT_OTHER;
    int trunk = -1;
    for (int i = 0; i < joint->input_count; i++) {
        const int tensor = resolve(network, joint->inputs[i]);
        if (tensor == 0 || !is_plain_convolution(&network->layers[tensor - 1]))
            return MT_OTHER;
        heads[i] = &network->layers[tensor - 1];
        const int input = resolve(network, heads[i]->inputs[0]);
        if ((trunk >= 0 && input != trunk) || heads[i]->size != heads[0]->size)
            return MT_OTHER;
        trunk = input;
        for (int o = 0; o < heads[i]->out.channels; o++) {
            if (packed->outputs == MT_MOST_OUTPUTS)
                return MT_OTHER;
            packed->activations[packed->outputs++] = heads[i]->activation;
        }
    }
    mt_found found = add_chain(packed, network, trunk);
    if (found != MT_FITS)
        return found;
    const int in_step = packed->steps[packed->count - 1].out_step;
    return add_convolution(packed, heads, joint->input_count, NULL, in_step) ? MT_FITS
                                                                             : MT_NO_MEMORY;
}

static int step_output(const mt_step *step, int side)
{
    return (side + step->pad - step->size) / step->stride + 1;
}

/* At the cfg's own size, the first convolution that covers all that is left of the picture. */
static void find_dense_steps(mt_packed *packed)
{
    int height = packed->input.height, width = packed->input.width;
    for (packed->spatial = 0; packed->spatial < packed->count; packed->spatial++) {
        const mt_step *step = &packed->steps[packed->spatial];
        if (step->kind == MT_CONVOLVE && height == step->size && width == step->size)
            break;
        height = step_output(step, height);
        width = step_output(step, width);
    }
}

int mt_pack(mt_packed **result, const mtcnn_network *network, const mt_kernels *kernels)
{
    *result = NULL;
    mt_packed *packed = calloc(1, sizeof *packed);
    if (!packed)
        return MTCNN_ERROR_MEMORY;
    packed->kernels = kernels;
    packed->input = network->input;
    const mt_found found = add_heads(packed, network);
    if (found != MT_FITS) {
        mt_packed_free(&packed);
        return found == MT_OTHER ? MTCNN_OK : MTCNN_ERROR_MEMORY;
    }
    find_dense_steps(packed);
    *result = packed;
    return MTCNN_OK;
}

void mt_packed_free(mt_packed **result)
{
    if (!*result)
        return;
    for (int i = 0; i < (*result)->count; i++) {
        free((*result)->steps[i].weights);
        free((*result)->steps[i].biases);
        free((*result)->steps[i].slopes);
    }
    free(*result);
    *result = NULL;
}

int mt_packed_outputs(const mt_packed *packed)
{
    return packed->outputs;
}

int mt_packed_output_step(const mt_packed *packed)
{
    return packed->steps[packed->count - 1].out_step;
}

void mt_packed_activate(const mt_packed *packed, float *values)
{
    for (int c = 0; c < packed->outputs; c++)
        if (packed->activations[c] != MT_LINEAR)
            mt_activate(&values[c], 1, 0.0f, packed->activations[c]);
}

float mt_packed_least(const mt_packed *packed, float threshold)
{
    if (packed->activations[0] == MT_LINEAR)
        return threshold;
    if (packed->activations[0] != MT_LOGISTIC || threshold <= 0.0f)
        return -INFINITY;
    /* The inverse of the logistic function, and a little less for its rounding; it is 1 from 17. */
    return threshold < 1.0f ? logf(threshold / (1.0f - threshold)) - 0.01f : 15.0f;
}

/* ---- running row by row ----------------------------------------------------------------------- */

/* Rows that a step has made and the next one still needs; state 0 is the input. */
typedef struct mt_step_state {
    int height, width; /* of the step's whole output */
    int made;          /* rows so far */
    int ring_rows;     /* row r is at r % ring_rows */
    size_t row_floats;
    size_t ring; /* its place among the rings */
} mt_step_state;

static bool begin(mt_stream *stream, const mt_packed *packed, int steps, int height, int width,
                  mt_row_source source, void *context)
{
    if (!mt_reserve(&stream->states, (size_t)steps + 1, sizeof(mt_step_state)))
        return false;
    mt_step_state *states = stream->states.data;
    size_t floats = 0;
    for (int i = 0; i <= steps; i++) {
        mt_step_state *state = &states[i];
        const mt_step *step = i ? &packed->steps[i - 1] : NULL;
        state->height = step ? step_output(step, states[i - 1].height) : height;
        state->width = step ? step_output(step, states[i - 1].width) : width;
        state->made = 0;
        state->ring_rows = i < steps ? packed->steps[i].size : 1;
        const int channels = step ? step->out_step : packed->input.channels;
        state->row_floats = (size_t)state->width * channels + MT_ROW_SLACK;
        state->row_floats = (state->row_floats + 15) / 16 * 16; /* rows begin on a cache line */
        state->ring = floats;
        floats += state->row_floats * state->ring_rows;
    }
    stream->packed = packed;
    stream->steps = steps;
    stream->source = source;
    stream->context = context;
    return mt_reserve(&stream->rings, floats, sizeof(float));
}

bool mt_stream_begin(mt_stream *stream, const mt_packed *packed, int height, int width,
                     mt_row_source source, void *context)
{
    return begin(stream, packed, packed->count, height, width, source, context);
}

void mt_stream_size(const mt_stream *stream, int *height, int *width)
{
    const mt_step_state *last = (const mt_step_state *)stream->states.data + stream->steps;
    *height = last->height;
    *width = last->width;
}

static float *ring_row(const mt_stream *stream, const mt_step_state *state, int row)
{
    return (float *)stream->rings.data + state->ring +
           (size_t)(row % state->ring_rows) * state->row_floats;
}

/*
 * Runs a convolution: `rows` [row_count] at the first output's inputs, which for the next output are
 * `next` floats further. A row of its kernel covers `pixels` pixels.
 */
static void convolve(const mt_packed *packed, const mt_step *step, const float *const *rows,
                     int row_count, int pixels, ptrdiff_t next, int outputs, float *output)
{
    const bool whole = step->in_step == step->in_channels; /* no padding between the pixels */
    packed->kernels->convolve(&(mt_row_convolution){
        .rows = rows,
        .row_count = row_count,
        .segments = whole ? 1 : pixels,
        .segment_step = step->in_step,
        .length = whole ? pixels * step->in_channels : step->in_channels,
        .step = next,
        .outputs = outputs,
        .vectors = step->out_step / packed->kernels->vector,
        .panel = step->panel,
        .weights = step->weights,
        .biases = step->biases,
        .slopes = step->slopes,
        .output = output,
    });
}

/* Makes one row of a step's output from row_count rows of its input. */
static void run_step(const mt_packed *packed, const mt_step *step, const float *const *rows,
                     int row_count, int in_width, int outputs, float *output)
{
    if (step->kind == MT_CONVOLVE)
        convolve(packed, step, rows, row_count, step->size, step->in_step, outputs, output);
    else
        packed->kernels->pool(&(mt_row_pooling){
            .rows = rows,
            .row_count = row_count,
            .width = in_width,
            .channels = step->in_step,
            .size = step->size,
            .stride = step->stride,
            .outputs = outputs,
            .output = output,
        });
}

/* Makes state's rows up to and including `row`: those before it as far as they are needed. */
static void advance(mt_stream *stream, int index, int row)
{
    mt_step_state *states = stream->states.data;
    mt_step_state *state = &states[index];
    for (; state->made <= row; state->made++) {
        float *output = ring_row(stream, state, state->made);
        if (index == 0) {
            stream->source(stream->context, state->made, output);
            continue;
        }
        const mt_step *step = &stream->packed->steps[index - 1];
        const mt_step_state *before = &states[index - 1];
        const int first = state->made * step->stride;
        const int end = first + step->size < before->height ? first + step->size : before->height;
        advance(stream, index - 1, end - 1);
        const float *rows[MOST_ROWS];
        for (int r = first; r < end; r++)
            rows[r - first] = ring_row(stream, before, r);
        run_step(stream->packed, step, rows, end - first, before->width, state->width, output);
    }
}

const float *mt_stream_row(mt_stream *stream, int row)
{
    advance(stream, stream->steps, row);
    return ring_row(stream, (const mt_step_state *)stream->states.data + stream->steps, row);
}

/* ---- running batches -------------------------------------------------------------------------- */

/* The source of one picture of a batch. */
typedef struct mt_batch_source {
    mt_row_source source;
    void *context;
    int first; /* row number of the picture's first row */
} mt_batch_source;

static void batch_row(void *context, int row, float *pixels)
{
    const mt_batch_source *batch = context;
    batch->source(batch->context, batch->first + row, pixels);
}

bool mt_packed_run_batch(mt_stream *stream, mt_buffer *scratch, const mt_packed *packed, int batch,
                         mt_row_source source, void *context, float *output)
{
    /* Row by row up to the features of each picture, [height][width][step] ... */
    const int in_height = packed->input.height, in_width = packed->input.width;
    const int spatial = packed->spatial;
    mt_batch_source picture = {source, context, 0};
    if (!begin(stream, packed, spatial, in_height, in_width, batch_row, &picture))
        return false;
    int height, width;
    mt_stream_size(stream, &height, &width);
    const int step = spatial ? packed->steps[spatial - 1].out_step : packed->input.channels;
    size_t widest = (size_t)height * width * step;
    const size_t features = widest;
    for (int i = spatial; i < packed->count; i++)
        if ((size_t)packed->steps[i].out_step > widest)
            widest = (size_t)packed->steps[i].out_step;
    if (!mt_reserve(scratch, 2 * widest * batch, sizeof(float)))
        return false;
    float *from = scratch->data, *to = from + widest * batch;
    for (int i = 0; i < batch; i++) {
        picture.first = i * in_height;
        if (!begin(stream, packed, spatial, in_height, in_width, batch_row, &picture))
            return false;
        for (int y = 0; y < height; y++)
            memcpy(from + i * features + (size_t)y * width * step, mt_stream_row(stream, y),
                   (size_t)width * step * sizeof(float));
    }

    /* ... then each dense step on all pictures at once. */
    size_t in_step = features;
    for (int i = spatial; i < packed->count; i++) {
        const mt_step *dense = &packed->steps[i];
        convolve(packed, dense, (const float *const[]){from}, 1, dense->size * dense->size,
                 (ptrdiff_t)in_step, batch, to);
        float *swap = from;
        from = to;
        to = swap;
        in_step = (size_t)dense->out_step;
    }
    for (int i = 0; i < batch; i++) {
        memcpy(output + (size_t)i * packed->outputs, from + i * in_step,
               (size_t)packed->outputs * sizeof(float));
        mt_packed_activate(packed, output + (size_t)i * packed->outputs);
    }
    return true;
}
