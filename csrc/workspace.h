/* workspace.h: running a network layer by layer, with all its tensors in one arena. */
#ifndef MT_WORKSPACE_H
#define MT_WORKSPACE_H

#include "memory.h"
#include "network.h"

enum {
    MT_WORKSPACE_TENSORS, /* mt_tensor [layer_count + 1] */
    MT_WORKSPACE_ARENA,   /* float: all tensors, and the layers' scratch at its end */
    MT_WORKSPACE_BUFFERS
};

/*
 * Memory of one thread to run one network at a time. It keeps what it has from run to run and grows
 * only for a run that needs more: starts all zero, ends with mt_workspace_free.
 */
typedef struct mt_workspace {
    const mtcnn_network *network; /* of the last plan */
    int batch, height, width;
    mt_buffer buffers[MT_WORKSPACE_BUFFERS];
    size_t scratch; /* its place in the arena */
} mt_workspace;

/* Lays out all tensors for batch inputs of height x width: to be called before a run. */
int mt_workspace_plan(mt_workspace *workspace, const mtcnn_network *network, int batch, int height,
                      int width, mtcnn_error *error);

/* Where the planned run's input goes: [batch][channels][height][width]. A run may overwrite it. */
float *mt_workspace_input(const mt_workspace *workspace);

/* Runs the planned network; the output [batch][shape] holds until the next plan or run. */
const float *mt_workspace_run(const mt_workspace *workspace, mtcnn_shape *shape);

/* The shape of a layer's output for an input of height x width; undoes the plan. */
int mt_workspace_shape(mt_workspace *workspace, const mtcnn_network *network, int layer, int height,
                       int width, mtcnn_shape *shape, mtcnn_error *error);

void mt_workspace_free(mt_workspace *workspace);

#endif
