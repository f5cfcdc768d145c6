/*
 * resize.h: antialiased resizing of 8-bit pictures into network inputs.
 *
 * A separable triangle filter, as wide as the step between outputs when shrinking (so that every
 * pixel counts) and plain bilinear when enlarging. docs/architecture.md, step 2, is its definition;
 * train_mtcnn/resize.py is the other implementation.
 */
#ifndef MT_RESIZE_H
#define MT_RESIZE_H

#include "memory.h"
#include "mtcnn.h"

/* What turns bytes into network input: (v - mean) * norm. */
typedef struct mt_normalisation {
    float mean;
    float norm;
    float pad;         /* value, before normalisation, of what lies outside the picture */
    mtcnn_color color; /* MTCNN_RGB or MTCNN_BGR: order of the input's planes */
} mt_normalisation;

/* One axis: outputs count samples over [start, start + length) of size pixels. */
typedef struct mt_span {
    double start;
    double length;
    int count;
    int size;
} mt_span;

/* Scratch memory of one thread; starts all zero. */
typedef struct mt_resizer {
    mt_buffer x_taps, y_taps;       /* mt_taps [count] */
    mt_buffer x_weights, y_weights; /* float, taps by taps */
    mt_buffer rows;                 /* float: a ring of rows that are resized along x */
} mt_resizer;

/*
 * Makes rows first <= i < first + rows of the resized picture, planar:
 * output [3][rows][x.count], float32. Returns false if there is no memory.
 */
bool mt_resize(mt_resizer *resizer, const mtcnn_image *image, mt_span x, mt_span y, int first,
               int rows, const mt_normalisation *normalisation, float *output);

size_t mt_resizer_bytes(const mt_resizer *resizer);
void mt_resizer_free(mt_resizer *resizer);

#endif
