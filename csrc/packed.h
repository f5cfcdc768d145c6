/*
 * packed.h: a network rearranged for the kernels, and running it row by row.
 *
 * Most networks of a cascade are a chain of convolutions (stride 1, no padding, at most 16x16 and
 * 1024 filters), activations with two straight parts and poolings (after the first convolution, at
 * most 16x16, padding 0 or 1), with heads at its end, at most 64 channels, that a [route] joins.
 * Such a network is packed: activations go into the convolutions, the heads become one convolution,
 * weights lie in the order in which the kernels read them. It is run as a stream, where each step
 * keeps only the rows that the next one still needs (stream.c), or on many small pictures at once
 * (batch.c).
 *
 * Rows are float32 [width][channels], channels padded with zeros to whole vectors of the kernels
 * (except for the input, which is not padded).
 */
#ifndef MT_PACKED_H
#define MT_PACKED_H

#include <stdbool.h>

#include "kernels.h"
#include "memory.h"
#include "mtcnn.h"

typedef struct mt_packed mt_packed;

/* The most channels that the output of a packed network has. */
#define MT_MAX_OUTPUTS 64

/*
 * Packs a loaded network. *packed stays NULL where the network is not of that form: then
 * mt_workspace_run is the way to run it. MTCNN_OK or MTCNN_ERROR_MEMORY.
 */
int mt_pack(mt_packed **packed, const mtcnn_network *network, const mt_kernels *kernels);
void mt_packed_free(mt_packed **packed);

/* Channels of the output. */
int mt_packed_outputs(const mt_packed *packed);

/* The least value of channel 0, before its activation, that may reach `threshold` after it. */
float mt_packed_threshold(const mt_packed *packed, float threshold);

/* Activates one output in place: values [mt_packed_outputs]. */
void mt_packed_activate(const mt_packed *packed, float *values);

/* Writes row `row` of the input, [width][channels], with room for MT_ROW_SLACK floats after it. */
typedef void (*mt_row_source)(void *context, int row, float *pixels);
#define MT_ROW_SLACK 4

enum {
    MT_STREAM_STATES,   /* mt_step_state [steps + 1] */
    MT_STREAM_RINGS,    /* float: rows that are still needed */
    MT_STREAM_MAPS,     /* float: features of a batch */
    MT_STREAM_WINOGRAD, /* scratch of winograd.h */
    MT_STREAM_SCORES,   /* float: of the last row */
    MT_STREAM_BUFFERS
};

/* A run in progress of one thread; starts all zero, keeps its memory from run to run. */
typedef struct mt_stream {
    const mt_packed *packed;
    mt_buffer buffers[MT_STREAM_BUFFERS];
    int steps;        /* that run row by row */
    bool heads_apart; /* the last step runs for single columns only */
    float *pixels;    /* in the rings: a row of the input, where its ring holds planes */
    const float *row; /* the last one */
    mt_row_source source;
    void *context;
} mt_stream;

void mt_stream_free(mt_stream *stream);

/*
 * Prepares a run on an input of height x width pixels, whose rows `source` makes, each once and in
 * order. Returns false if there is no memory. The network must take such an input.
 */
bool mt_stream_begin(mt_stream *stream, const mt_packed *packed, int height, int width,
                     mt_row_source source, void *context);

/* Height and width of what the run makes. */
void mt_stream_size(const mt_stream *stream, int *height, int *width);

/*
 * Makes row `row` of the output and gives channel 0 of it, [width], before its activation, up to
 * rounding. Rows must be asked for in rising order. Holds until the next row.
 */
const float *mt_stream_scores(mt_stream *stream, int row);

/* All channels of a column of that row, activated: output [mt_packed_outputs]. */
void mt_stream_output(const mt_stream *stream, int column, float *output);

/*
 * Runs a network that makes one pixel of a picture of the cfg's own size on batch of these at once.
 * source is asked for row `row` of picture i as i * height + row. output: [batch][outputs],
 * activated. Returns false if there is no memory.
 */
bool mt_packed_run_batch(mt_stream *stream, const mt_packed *packed, int batch,
                         mt_row_source source, void *context, float *output);

#endif
