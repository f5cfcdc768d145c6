/* network.h: a network of a Darknet cfg. */
#ifndef MT_NETWORK_H
#define MT_NETWORK_H

#include "layer.h"
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
    char *warnings;      /* of its cfg, a line each; NULL: none */
};

/* As mtcnn_network_load, for kernels; builtin: the names are of files compiled into the library. */
int mt_network_load(mtcnn_network **network, const char *cfg, const char *weights, bool builtin,
                    const mt_kernels *kernels, mtcnn_error *error);

/* The kind of layer that a section makes; NULL: it makes none. network_cfg.c */
const mt_layer_type *mt_layer_type_of(const char *section);

/* Finds keys that no reader of a cfg knows: *warnings, a line each, or NULL, is to be freed. */
int mt_cfg_warn(const mt_config *config, char **warnings, mtcnn_error *error);

/* Fills in input, layers and weight_count from the sections of a cfg: network_cfg.c. */
int mt_network_parse(mtcnn_network *network, const mt_config *config, mtcnn_error *error);

/* Reads the weights file (NULL: all zero) into the layers: weights.c. */
int mt_weights_load(mtcnn_network *network, const char *path, bool builtin, mtcnn_error *error);

/* MTCNN_ERROR_ARGUMENT unless batch, height and width are in their ranges. */
int mt_network_check_input(const mtcnn_network *network, int batch, int height, int width,
                           mtcnn_error *error);

#endif
