/*
 * layer.h: what every kind of layer gives to the network.
 *
 * A kind of layer is one mt_layer_type in one file, and one line in the table of network_cfg.c.
 * Tensors are float32 [batch][channels][height][width]. Number 0 is the network's input, i + 1 the
 * output of layer i.
 */
#ifndef MT_LAYER_H
#define MT_LAYER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "activation.h"
#include "config.h"
#include "mtcnn.h"

typedef struct mt_layer_type mt_layer_type;

/* Like Darknet's, one structure for all kinds; each kind uses what it needs. */
typedef struct mt_layer {
    const mt_layer_type *type;
    const char *path; /* of the cfg, and the section's line there: for messages */
    int line;
    int *inputs; /* [input_count] tensors that it reads */
    int input_count;
    mtcnn_shape in;  /* of the first input, at the cfg's own picture size; channels always hold */
    mtcnn_shape out; /* likewise of the output */

    int size; /* side of the kernel */
    int stride;
    int pad;    /* convolution: pixels on each side; pooling: total (Darknet's rule) */
    int groups; /* convolution, softmax: groups of channels; prelu: number of slopes */
    bool batch_normalize;
    float temperature; /* softmax */
    bool spatial;      /* softmax: at each pixel */
    mt_activation activation;

    /* The network's memory, or the layer's own in `folded`. */
    const float *weights; /* convolution [out][in / groups][size][size]; connected [out][in] */
    const float *biases;  /* [out] */
    const float *slopes;  /* prelu [groups] */
    float *folded;        /* biases and weights that are not those of the file; else NULL */
} mt_layer;

/* One layer's work on one batch. */
typedef struct mt_pass {
    int batch;
    const mtcnn_shape *in;      /* [input_count] */
    const float *const *inputs; /* [input_count] */
    mtcnn_shape out;
    float *output;
    float *scratch; /* [type->scratch(...)] floats */
} mt_pass;

struct mt_layer_type {
    const char *section;
    const char *alias; /* Darknet's short name of the section; NULL: none */
    const char *keys;  /* that Darknet's readers know in it, with blanks between them */
    bool in_place;     /* the output may take the place of the (only) input */

    /*
     * Reads the section's options; layer->in and inputs[0] (the tensor before) are set, and
     * channels[t] of every tensor t up to it. Sets inputs, if others, and out.channels.
     */
    int (*parse)(mt_layer *layer, const mt_section *section, const int *channels,
                 mtcnn_error *error);

    /* Shape of the output for inputs of these shapes; channels are those of the cfg. */
    int (*shape)(const mt_layer *layer, const mtcnn_shape *in, mtcnn_shape *out,
                 mtcnn_error *error);

    /* Floats of scratch memory of forward; NULL: none. */
    size_t (*scratch)(const mt_layer *layer, mtcnn_shape in, mtcnn_shape out);

    void (*forward)(const mt_layer *layer, const mt_pass *pass);

    /* Number of floats in the weights file; NULL: none. */
    uint64_t (*weight_count)(const mt_layer *layer);

    /*
     * Takes weight_count floats from values, in the file's order, which must outlive the layer;
     * transposed: connected weights are stored [in][out]. false if there is no memory.
     */
    bool (*load)(mt_layer *layer, const float *values, bool transposed);
};

/* Keys that any layer's section may have: they concern training. */
#define MT_KEYS_OF_ALL \
    " burnin_update clip dont_update dontload dontloadscales dontsave learning_rate numload" \
    " onlyforward smooth stopbackward train_only_bn truth"

extern const mt_layer_type mt_convolutional, mt_connected, mt_maxpool, mt_avgpool, mt_route,
    mt_shortcut, mt_dropout, mt_softmax, mt_prelu;

/* Limits of a cfg's numbers: far above any real network, far below what overflows. */
#define MT_MAX_CHANNELS 65536
#define MT_MAX_KERNEL 1024
#define MT_MAX_INPUTS 64          /* of one layer */
#define MT_MAX_INPUT_SIDE 1048576 /* of [net], and of what mtcnn_network_run takes */

/* ---- helpers shared by layers (layer.c) ---- */

size_t mt_volume(mtcnn_shape shape); /* channels * height * width of a tensor that was planned */

/* For layers without options that keep the channels. */
int mt_parse_nothing(mt_layer *layer, const mt_section *section, const int *channels,
                     mtcnn_error *error);

/* Reads activation=; an unknown one is an error that lists the known ones. */
int mt_parse_activation(mt_layer *layer, const mt_section *section, mtcnn_error *error);

/* Error if the section asks for something that changes results and is not supported. */
int mt_refuse(const mt_section *section, const char *key, const char *accepted, mtcnn_error *error);

/* Error if stride_x or stride_y (of AlexeyAB's Darknet) differ from stride. */
int mt_refuse_strides(const mt_layer *layer, const mt_section *section, mtcnn_error *error);

/* out = in: for layers that keep the shape. */
int mt_same_shape(const mt_layer *layer, const mtcnn_shape *in, mtcnn_shape *out,
                  mtcnn_error *error);

/* Error that names the layer's section and line, MTCNN_ERROR_CFG. */
#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
int mt_fail_layer(const mt_layer *layer, mtcnn_error *error, const char *format, ...);

/*
 * Splits values (biases; scales, means, variances with batch_normalize; weights — in the order of
 * [convolutional], or with the three after the weights as in [connected]) and folds the batch
 * normalisation, in double precision by pjreddie's formula, into weights and biases of the layer's
 * own. weights [outputs][inputs]. false if there is no memory. The result may be infinite or NaN
 * where a variance makes no sense.
 */
bool mt_load_linear(mt_layer *layer, const float *values, size_t outputs, size_t inputs,
                    bool normalize_last, bool transposed);

#endif
