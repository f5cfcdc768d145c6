/* network.h: a network of a Darknet cfg, and the scratch memory to run it in. */
#ifndef MT_NETWORK_H
#define MT_NETWORK_H

#include "layer.h"
#include "memory.h"
#include "packed.h"

/* Read-only once loaded. */
struct mtcnn_network {
    char *path;        /* of the cfg, for messages */
    mtcnn_shape input; /* of [net] */
    int layer_count;
    mt_layer *layers;    /* [layer_count] */
    size_t weight_count; /* floats in the weights file */
    void *memory;        /* that the layers' weights lie in; NULL: the built-in model's own */
    mt_packed *packed;   /* the same network for the kernels; NULL where it is not of their form */
};

/* As mtcnn_network_load; builtin: the names are of files compiled into the library. */
int mt_network_load(mtcnn_network **network, const char *cfg, const char *weights, bool builtin,
                    mtcnn_error *error);

/* Reads the weights file into the layers: weights.c. */
int mt_weights_load(mtcnn_network *network, const char *path, bool builtin, mtcnn_error *error);

/* MTCNN_ERROR_ARGUMENT unless batch, height and width are in their ranges. */
int mt_network_check_input(const mtcnn_network *network, int batch, int height, int width,
                           mtcnn_error *error);

/*
 * Memory of one thread to run one network at a time. It keeps what it has from run to run and grows
 * only for a run that needs more: starts all zero, ends with mt_workspace_free.
 */
typedef struct mt_workspace {
    const mtcnn_network *network; /* of the last plan */
    int batch, height, width;
    mt_buffer tensors; /* mt_tensor [layer_count + 1] */
    mt_buffer arena;   /* float: all tensors, and the layers' scratch at its end */
    size_t scratch;    /* its place in the arena */
} mt_workspace;

/* Lays out all tensors for batch inputs of height x width: to be called before a run. */
int mt_workspace_plan(mt_workspace *workspace, const mtcnn_network *network, int batch, int height,
                      int width, mtcnn_error *error);

/* Where the planned run's input goes: [batch][channels][height][width]. A run may overwrite it. */
float *mt_workspace_input(const mt_workspace *workspace);

/* Runs the planned network; the output [batch][shape] holds until the next plan or run. */
const float *mt_workspace_run(const mt_workspace *workspace, mtcnn_shape *shape);

/* The network's output shape for an input of height x width; undoes the plan. */
int mt_workspace_shape(mt_workspace *workspace, const mtcnn_network *network, int height, int width,
                       mtcnn_shape *shape, mtcnn_error *error);

void mt_workspace_free(mt_workspace *workspace);

#endif
