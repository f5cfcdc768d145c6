/*
 * resize.h: antialiased resizing of 8-bit pictures into network inputs.
 *
 * A separable triangle filter, as wide as the step between outputs when shrinking (so that every
 * pixel counts) and plain bilinear when enlarging. docs/architecture.md, step 2, is its definition;
 * train_mtcnn/cascade/resize.py is the other implementation.
 */
#ifndef MT_RESIZE_H
#define MT_RESIZE_H

#include "kernels.h"
#include "memory.h"
#include "mtcnn.h"

/* What turns bytes into network input: (v - mean) * norm. */
typedef struct mt_normalisation {
    float mean;
    float norm;
    float pad;         /* value, before normalisation, of what lies outside the picture */
    mtcnn_color color; /* MTCNN_RGB or MTCNN_BGR: order of the input's planes */
} mt_normalisation;

/*
 * Samples along one axis of a picture. Sample i, of first <= i < first + count, has its centre at
 * start + (i + 0.5) * step.
 */
typedef struct mt_span {
    double start; /* pixels; may lie outside the picture */
    double step;
    int first;
    int count;
    int size; /* of the picture, pixels */
} mt_span;

/* The rows of the picture of which a row of the result is made. */
typedef struct mt_taps {
    int first;
    int count; /* 0: its centre lies outside the picture */
} mt_taps;

enum {
    MT_RESIZER_X_FIRSTS, /* int: of each sample of x inside the picture, first pixel from left on */
    MT_RESIZER_X_WEIGHTS, /* float [x_most] of each of them */
    MT_RESIZER_Y_TAPS,    /* mt_taps [y.count] */
    MT_RESIZER_Y_WEIGHTS, /* float [y_most] of each sample of y inside the picture */
    MT_RESIZER_SUMS,      /* float [2][sums_floats]: columns of a row and of the next one */
    MT_RESIZER_PLANAR,    /* float: a row of the result, for mt_resize_planar */
    MT_RESIZER_BUFFERS
};

/* A resizing in progress of one thread; starts all zero, keeps its memory from one to the next. */
typedef struct mt_resizer {
    const mt_kernels *kernels;
    mtcnn_image image;
    mt_normalisation normalisation;
    mt_span x, y;
    int left, columns;      /* the pixels of a row that count */
    int inside, inside_end; /* the samples of x whose centres lie inside the picture */
    int y_inside;           /* the first sample of y whose centre does */
    int x_most, y_most;     /* weights of a sample */
    size_t sums_floats;
    int side;        /* which of the sums is the row's */
    int begun, done; /* the row that the other one belongs to (or -1), the first row not in it */
    mt_buffer buffers[MT_RESIZER_BUFFERS];
} mt_resizer;

/* Prepares the resizing of a part of the picture. Returns false if there is no memory. */
bool mt_resize_begin(mt_resizer *resizer, const mt_kernels *kernels, const mtcnn_image *image,
                     mt_span x, mt_span y, const mt_normalisation *normalisation);

/*
 * Makes row `row` (0: the first sample of y): pixels [x.count][3] float32; one float more is
 * written. Rows may be asked for in any order; in rising order, what two neighbours share is made
 * once.
 */
void mt_resize_row(mt_resizer *resizer, int row, float *pixels);

/* Makes all rows, planar: output [3][y.count][x.count]. Returns false if there is no memory. */
bool mt_resize_planar(mt_resizer *resizer, float *output);

void mt_resizer_free(mt_resizer *resizer);

#endif
