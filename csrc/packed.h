/*
 * packed.h: a network rearranged for the kernels, and running it row by row.
 *
 * Most networks of a cascade are a chain of convolutions, activations and poolings, with heads at
 * its end that a [route] joins. Such a network is packed: activations go into the convolutions, the
 * heads become one convolution, weights lie in the order in which the kernels read them. It is run
 * as a stream: each step keeps only the rows that the next one still needs.
 *
 * Rows are float32 [width][channels], channels padded with zeros to whole vectors of the kernels
 * (but for the input, which is not padded).
 */
#ifndef MT_PACKED_H
#define MT_PACKED_H

#include <stdbool.h>

#include "kernels.h"
#include "memory.h"
#include "mtcnn.h"

typedef struct mt_packed mt_packed;

/* The most channels that the output of a packed network has. */
#define MT_MOST_OUTPUTS 64

/*
 * Packs a loaded network. *packed stays NULL where the network is not of that form: then
 * mt_workspace_run is the way to run it. MTCNN_OK or MTCNN_ERROR_MEMORY.
 */
int mt_pack(mt_packed **packed, const mtcnn_network *network, const mt_kernels *kernels);
void mt_packed_free(mt_packed **packed);

/* Channels of the output, and floats from one output to the next (padded). */
int mt_packed_outputs(const mt_packed *packed);
int mt_packed_output_step(const mt_packed *packed);

/* The least value of channel 0, before its activation, that may reach `threshold` after it. */
float mt_packed_least(const mt_packed *packed, float threshold);

/* Writes row `row` of the input, [width][channels], with room for MT_ROW_SLACK floats after it. */
typedef void (*mt_row_source)(void *context, int row, float *pixels);
#define MT_ROW_SLACK 4

/* A run in progress of one thread; starts all zero, keeps its memory from run to run. */
typedef struct mt_stream {
    const mt_packed *packed;
    mt_buffer states; /* mt_step_state [steps + 1] */
    mt_buffer rings;  /* float */
    int steps;        /* that run */
    mt_row_source source;
    void *context;
} mt_stream;

/*
 * Prepares a run on an input of height x width pixels, whose rows `source` makes, each once and in
 * order. Returns false if there is no memory. The network must take such an input.
 */
bool mt_stream_begin(mt_stream *stream, const mt_packed *packed, int height, int width,
                     mt_row_source source, void *context);

/* Height and width of what the run makes. */
void mt_stream_size(const mt_stream *stream, int *height, int *width);

/*
 * Row `row` of the output, [width][mt_packed_output_step]; rows must be asked for in rising order.
 * Heads are not yet activated: mt_packed_activate does that. Holds until the next row.
 */
const float *mt_stream_row(mt_stream *stream, int row);

/* Activates one output in place: values [mt_packed_outputs]. */
void mt_packed_activate(const mt_packed *packed, float *values);

/*
 * Runs a network that makes one pixel of a picture of the cfg's own size on batch of these at once.
 * source is asked for row `row` of picture i as i * height + row. output: [batch][outputs],
 * activated. Returns false if there is no memory.
 */
bool mt_packed_run_batch(mt_stream *stream, mt_buffer *scratch, const mt_packed *packed, int batch,
                         mt_row_source source, void *context, float *output);

#endif
