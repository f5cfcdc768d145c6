/* The public functions of a network except mtcnn_network_run: loading it, asking about it. */
#include "network.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "gemm.h"
#include "workspace.h"

/* An unknown key is often why a cfg makes no sense, or its weights do not fit: name it, too. */
static void add_warning(const mtcnn_network *network, int status, mtcnn_error *error)
{
    if (!error || !network->warnings ||
        (status != MTCNN_ERROR_CFG && status != MTCNN_ERROR_WEIGHTS))
        return;
    const size_t used = strlen(error->message);
    snprintf(error->message + used, sizeof error->message - used, "; %.*s",
             (int)strcspn(network->warnings, "\n"), network->warnings);
}

int mt_network_load(mtcnn_network **result, const char *cfg, const char *weights, bool builtin,
                    const mt_kernels *kernels, mtcnn_error *error)
{
    *result = NULL;
    mt_config config;
    int status = mt_config_read(&config, cfg, builtin, error);
    if (status)
        return status;

    mtcnn_network *network = calloc(1, sizeof *network);
    if (!network || !(network->path = malloc(strlen(cfg) + 1)))
        status = mt_fail_memory(error, cfg, sizeof *network);
    if (!status)
        status = mt_cfg_warn(&config, &network->warnings, error);
    if (!status) {
        strcpy(network->path, cfg);
        status = mt_network_parse(network, &config, error);
        if (!status)
            status = mt_weights_load(network, weights, builtin, error);
        add_warning(network, status, error);
    }
    mt_config_free(&config);
    if (!status && mt_pack(&network->packed, network, kernels))
        status = mt_fail_memory(error, cfg, 4 * network->weight_count);
    if (!status && !network->packed)
        status = mt_gemm_load(error);
    if (status)
        mtcnn_network_free(&network);
    *result = network;
    return status;
}

int mtcnn_network_load(mtcnn_network **network, const char *cfg, const char *weights,
                       mtcnn_error *error)
{
    mt_clear(error);
    if (network)
        *network = NULL;
    if (!network || !cfg)
        return mt_fail(error, MTCNN_ERROR_ARGUMENT, "mtcnn_network_load: network or cfg is NULL");
    const mt_kernels *kernels;
    const int status = mt_kernels_choose(&kernels, error);
    return status ? status : mt_network_load(network, cfg, weights, false, kernels, error);
}

void mtcnn_network_free(mtcnn_network **network)
{
    if (!network || !*network)
        return;
    for (int i = 0; i < (*network)->layer_count; i++) {
        mt_layer *layer = &(*network)->layers[i];
        free(layer->inputs);
        free(layer->folded);
    }
    mt_packed_free(&(*network)->packed);
    free((*network)->warnings);
    free((*network)->memory);
    free((*network)->layers);
    free((*network)->path);
    free(*network);
    *network = NULL;
}

int mtcnn_network_layers(const mtcnn_network *network)
{
    return network->layer_count;
}

const char *mtcnn_network_warnings(const mtcnn_network *network)
{
    return network->warnings ? network->warnings : "";
}

size_t mtcnn_network_weights(const mtcnn_network *network)
{
    return network->weight_count;
}

mtcnn_shape mtcnn_network_input(const mtcnn_network *network)
{
    return network->input;
}

int mt_network_check_input(const mtcnn_network *network, int batch, int height, int width,
                           mtcnn_error *error)
{
    const bool fits = batch >= 1 && height >= 1 && width >= 1 && height <= MT_MAX_INPUT_SIDE &&
                      width <= MT_MAX_INPUT_SIDE;
    if (fits && batch > INT_MAX / height)
        return mt_fail(error, MTCNN_ERROR_ARGUMENT,
                       "%s: a batch of %d is too large for inputs of %dx%d pixels", network->path,
                       batch, width, height);
    if (fits)
        return MTCNN_OK;
    return mt_fail(error, MTCNN_ERROR_ARGUMENT,
                   "%s: an input of %d x %dx%d pixels: batch must be at least 1, height and width "
                   "1 to %d",
                   network->path, batch, width, height, MT_MAX_INPUT_SIDE);
}

int mtcnn_network_shape(const mtcnn_network *network, int layer, int height, int width,
                        mtcnn_shape *shape, const char **type, mtcnn_error *error)
{
    mt_clear(error);
    if (!network || !shape)
        return mt_fail(error, MTCNN_ERROR_ARGUMENT,
                       "mtcnn_network_shape: network or shape is NULL");
    int status = mt_network_check_input(network, 1, height, width, error);
    if (status)
        return status;
    if (layer == -1)
        layer = network->layer_count - 1;
    if (layer < 0 || layer >= network->layer_count)
        return mt_fail(error, MTCNN_ERROR_ARGUMENT, "%s: no layer %d; there are 0 to %d",
                       network->path, layer, network->layer_count - 1);
    mt_workspace workspace = {0};
    status = mt_workspace_shape(&workspace, network, layer, height, width, shape, error);
    if (!status && type)
        *type = network->layers[layer].type->section;
    mt_workspace_free(&workspace);
    return status;
}
