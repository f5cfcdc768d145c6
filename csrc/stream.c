/* Running a packed network row by row. */
#include <string.h>

#include "packed_steps.h"
#include "winograd.h"

/* Rows that a step has made and the next one still needs; state 0 is the input. */
typedef struct mt_step_state {
    int height, width; /* of the step's whole output */
    int made;          /* rows so far */
    int ring_rows;     /* row r is at r % ring_rows */
    size_t row_floats;
    size_t plane; /* the input before a stem: floats of a plane of its rows */
    size_t ring;  /* its place among the rings */
} mt_step_state;

/* Rows of outputs that a step makes at once, and rows of inputs that it needs for them. */
static int rows_made(const mt_step *step)
{
    return step && step->kind == MT_WINOGRAD ? MT_TILE : 1;
}

static int rows_needed(const mt_step *step)
{
    return step->kind == MT_WINOGRAD ? MT_WINDOW : step->size;
}

static void lay_out_row(const mt_packed *packed, mt_step_state *state, const mt_step *step,
                        const mt_step *next)
{
    const int channels = step ? step->out_step : packed->input.channels;
    state->row_floats = mt_whole_lines((size_t)(state->width + MT_PIXEL_SLACK) * channels +
                                       MT_ROW_SLACK);
    state->plane = 0;
    if (next && next->kind == MT_STEM) {
        /* A window begins in one vector and may end in the next but one. */
        state->plane = mt_whole_lines((size_t)state->width / 2 + 2 * packed->kernels->vector);
        state->row_floats = 6 * state->plane;
    }
}

bool mt_stream_begin_steps(mt_stream *stream, const mt_packed *packed, int steps, int height,
                           int width, mt_row_source source, void *context)
{
    if (!mt_reserve(&stream->buffers[MT_STREAM_STATES], (size_t)steps + 1, sizeof(mt_step_state)))
        return false;
    mt_step_state *states = stream->buffers[MT_STREAM_STATES].data;
    size_t floats = 0;
    for (int i = 0; i <= steps; i++) {
        mt_step_state *state = &states[i];
        const mt_step *step = i ? &packed->steps[i - 1] : NULL;
        const mt_step *next = i < steps ? &packed->steps[i] : NULL;
        state->height = step ? mt_step_output(step, states[i - 1].height) : height;
        state->width = step ? mt_step_output(step, states[i - 1].width) : width;
        state->made = 0;
        /* The last row that the next step needs may come with some more. */
        state->ring_rows = (next ? rows_needed(next) : 1) + rows_made(step) - 1;
        lay_out_row(packed, state, step, next);
        state->ring = floats;
        floats += state->row_floats * state->ring_rows;
    }
    const size_t pixels = mt_whole_lines(((size_t)width + 8) * packed->input.channels +
                                         MT_ROW_SLACK);
    if (!mt_reserve(&stream->buffers[MT_STREAM_RINGS], floats + pixels, sizeof(float)))
        return false;
    stream->packed = packed;
    stream->steps = steps;
    stream->pixels = (float *)stream->buffers[MT_STREAM_RINGS].data + floats;
    stream->source = source;
    stream->context = context;
    for (int i = 0; i < steps; i++)
        if (!mt_winograd_reserve(&stream->buffers[MT_STREAM_WINOGRAD], packed->kernels,
                                 &packed->steps[i]))
            return false;
    return true;
}

/* Heads of single pixels are not run where nothing is found. */
bool mt_stream_begin(mt_stream *stream, const mt_packed *packed, int height, int width,
                     mt_row_source source, void *context)
{
    const int last = packed->count - 1;
    stream->heads_apart = last > 0 && packed->steps[last].size == 1;
    return mt_stream_begin_steps(stream, packed, last + !stream->heads_apart, height, width, source,
                                 context) &&
           mt_reserve(&stream->buffers[MT_STREAM_SCORES], (size_t)width, sizeof(float));
}

static mt_step_state *last_state(const mt_stream *stream)
{
    return (mt_step_state *)stream->buffers[MT_STREAM_STATES].data + stream->steps;
}

void mt_stream_size(const mt_stream *stream, int *height, int *width)
{
    *height = last_state(stream)->height;
    *width = last_state(stream)->width;
}

static float *ring_row(const mt_stream *stream, const mt_step_state *state, int row)
{
    return (float *)stream->buffers[MT_STREAM_RINGS].data + state->ring +
           (size_t)(row % state->ring_rows) * state->row_floats;
}

static void make_input(mt_stream *stream, const mt_step_state *state)
{
    float *row = ring_row(stream, state, state->made);
    if (!state->plane) {
        stream->source(stream->context, state->made, row);
        return;
    }
    stream->source(stream->context, state->made, stream->pixels);
    stream->packed->kernels->split(stream->pixels, state->width, (ptrdiff_t)state->plane, row);
}

static void run_winograd(mt_stream *stream, const mt_step *step, float *const *rows,
                         const mt_step_state *state)
{
    mt_winograd winograd;
    mt_tile_row tiles;
    memcpy(tiles.rows, rows, sizeof tiles.rows);
    mt_tile_row_begin(&tiles, step, state->width);
    for (int r = 0; r < MT_TILE; r++)
        tiles.outputs[r] = ring_row(stream, state, state->made + r);
    mt_winograd_begin(&winograd, stream->packed->kernels, step,
                      &stream->buffers[MT_STREAM_WINOGRAD]);
    mt_winograd_add(&winograd, &tiles);
    mt_winograd_end(&winograd);
}

static void run_stem(const mt_stream *stream, const mt_step *step, float *const *rows,
                     int row_count, const mt_step_state *before, const mt_step_state *state)
{
    const int lower = row_count < step->size ? 0 : 1; /* a cut window has the upper outputs only */
    stream->packed->kernels->stem(&(mt_stem){
        .rows = {rows[0], rows[1], rows[2], rows[lower], rows[lower + 1], rows[lower + 2]},
        .plane = (ptrdiff_t)before->plane,
        .outputs = state->width,
        .pairs = (before->width - 2) / 2,
        .channels = step->out_channels,
        .weights = step->weights,
        .biases = step->biases,
        .slopes = step->slopes,
        .step = step->out_step,
        .output = ring_row(stream, state, state->made),
    });
}

/* Makes state's rows up to and including `row`: those before it as far as they are needed. */
static void advance(mt_stream *stream, int index, int row)
{
    mt_step_state *state = (mt_step_state *)stream->buffers[MT_STREAM_STATES].data + index;
    if (index == 0) {
        for (; state->made <= row; state->made++)
            make_input(stream, state);
        return;
    }
    const mt_step_state *before = state - 1;
    const mt_step *step = &stream->packed->steps[index - 1];
    const int needed = rows_needed(step);
    for (; state->made <= row; state->made += rows_made(step)) {
        const int first = state->made * step->stride;
        const int left = before->height - first, count = needed < left ? needed : left;
        advance(stream, index - 1, first + count - 1);
        float *rows[MT_MAX_ROWS];
        for (int r = 0; r < needed; r++) /* there may be none for the last outputs of a tile */
            rows[r] = ring_row(stream, before, first + (r < count ? r : count - 1));
        float *output = ring_row(stream, state, state->made);
        switch (step->kind) {
        case MT_CONVOLVE:
            mt_step_convolve(stream->packed, step, (const float *const *)rows, step->in_step,
                             state->width, output, step->out_step);
            break;
        case MT_WINOGRAD: run_winograd(stream, step, rows, state); break;
        case MT_STEM: run_stem(stream, step, rows, count, before, state); break;
        case MT_POOL:
            mt_step_pool(stream->packed, step, (const float *const *)rows, count, before->width,
                         state->width, output);
            break;
        }
    }
}

const float *mt_stream_row(mt_stream *stream, int row)
{
    advance(stream, stream->steps, row);
    stream->row = ring_row(stream, last_state(stream), row);
    return stream->row;
}

const float *mt_stream_scores(mt_stream *stream, int row)
{
    const mt_packed *packed = stream->packed;
    const mt_step *last = &packed->steps[packed->count - 1];
    const float *pixels = mt_stream_row(stream, row);
    const int width = last_state(stream)->width;
    float *scores = stream->buffers[MT_STREAM_SCORES].data;
    if (stream->heads_apart)
        packed->kernels->project(pixels, last->in_step, width, packed->score_weights,
                                 last->biases[0], scores);
    else
        for (int x = 0; x < width; x++)
            scores[x] = pixels[(size_t)x * last->out_step];
    return scores;
}

void mt_stream_output(const mt_stream *stream, int column, float *output)
{
    const mt_packed *packed = stream->packed;
    const mt_step *last = &packed->steps[packed->count - 1];
    if (stream->heads_apart) {
        float values[2 * MT_MAX_OUTPUTS]; /* whole vectors */
        const float *pixel = stream->row + (size_t)column * last->in_step;
        mt_step_convolve(packed, last, &pixel, 0, 1, values, 0);
        memcpy(output, values, (size_t)packed->outputs * sizeof *output);
    } else {
        memcpy(output, stream->row + (size_t)column * last->out_step,
               (size_t)packed->outputs * sizeof *output);
    }
    mt_packed_activate(packed, output);
}

void mt_stream_free(mt_stream *stream)
{
    mt_buffers_release(stream->buffers, MT_STREAM_BUFFERS);
}
