/* packed_steps.h: what a packed network is made of, for packed.c, stream.c, batch.c, winograd.c. */
#ifndef MT_PACKED_STEPS_H
#define MT_PACKED_STEPS_H

#include "activation.h"
#include "packed.h"

typedef enum mt_step_kind {
    MT_CONVOLVE,
    MT_WINOGRAD, /* a 3x3 convolution by winograd.h */
    MT_STEM,     /* a 3x3 convolution and a 2x2 pooling at once: mt_stem of kernels.h */
    MT_POOL
} mt_step_kind;

typedef struct mt_step {
    mt_step_kind kind;
    int size, stride; /* of the window that one output looks at */
    int pad;          /* pooling: 0, or 1 for a window that may begin on the last pixel */
    int in_channels, out_channels;
    int in_step, out_step; /* floats from one pixel to the next */
    int panel;             /* convolutions: vectors that are computed together */
    /*
     * MT_CONVOLVE: [panels][size][size][in_channels][panel * vector]
     * MT_WINOGRAD: [panels][36][in_channels][panel * vector]
     * MT_STEM: [out_channels][3 rows][3 channels][3 columns]
     */
    float *weights;
    float *biases, *slopes; /* [out_step] */
} mt_step;

#define MT_MAX_ROWS 16 /* of a step's window */
#define MT_MAX_STEPS 32
#define MT_MAX_FILTERS 1024 /* of a convolution, heads excepted */

struct mt_packed {
    const mt_kernels *kernels;
    mtcnn_shape input; /* of the cfg */
    int count;
    mt_step steps[MT_MAX_STEPS];
    int spatial; /* steps before the first convolution that covers its input at the cfg's size */
    int outputs;
    mt_activation activations[MT_MAX_OUTPUTS];
    float *score_weights; /* [in_step] of channel 0, if the last convolution is of single pixels */
};

/* Pixels that rows have room for after their last: tiles of 4 outputs may stick out by 3. */
#define MT_PIXEL_SLACK 3

static inline int mt_step_output(const mt_step *step, int side)
{
    return (side + step->pad - step->size) / step->stride + 1;
}

/* stream.c: as mt_stream_begin, for the first `steps` steps; then their rows, [width][out_step]. */
bool mt_stream_begin_steps(mt_stream *stream, const mt_packed *packed, int steps, int height,
                           int width, mt_row_source source, void *context);
const float *mt_stream_row(mt_stream *stream, int row);

/*
 * Runs an MT_CONVOLVE step: rows [size] at the first output's inputs, which for the next output are
 * `next` floats further; outputs are output_step floats apart.
 */
void mt_step_convolve(const mt_packed *packed, const mt_step *step, const float *const *rows,
                      ptrdiff_t next, int outputs, float *output, ptrdiff_t output_step);

/* Makes one row of a pooling's output from row_count <= size rows of its input. */
void mt_step_pool(const mt_packed *packed, const mt_step *step, const float *const *rows,
                  int row_count, int in_width, int outputs, float *output);

#endif
