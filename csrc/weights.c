/* Darknet's .weights: a header without magic, then float32 in the order of the cfg's layers. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "file.h"
#include "network.h"

static int32_t little_int32(const unsigned char *bytes)
{
    uint32_t value = (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
                     (uint32_t)bytes[3] << 24;
    return (int32_t)value;
}

/* Bytes before the first weight: version as 3 x int32, then the pictures seen, 8 bytes or 4. */
static size_t header_bytes(int32_t major, int32_t minor)
{
    return (int64_t)major * 10 + minor >= 2 && major < 1000 && minor < 1000 ? 20 : 16;
}

static int check_size(const mtcnn_network *network, const char *path, size_t size, size_t header,
                      mtcnn_error *error)
{
    size_t expected = header + 4 * network->weight_count;
    if (size == expected)
        return MTCNN_OK;
    return mt_fail(error, MTCNN_ERROR_WEIGHTS,
                   "%s: %zu bytes %s: %zu were expected, a header of %zu and %zu weights for %s; "
                   "the file is damaged or belongs to another cfg",
                   path, size < expected ? expected - size : size - expected,
                   size < expected ? "are missing" : "too many", expected, header,
                   network->weight_count, network->path);
}

/* A negative variance in the file, for example, makes none. */
static bool folded_is_finite(const mt_layer *layer)
{
    const size_t outputs = (size_t)layer->out.channels;
    const size_t inputs = (size_t)layer->type->weight_count(layer) / outputs - 4;
    for (size_t o = 0; o < outputs; o++)
        if (!isfinite(layer->biases[o]))
            return false;
    for (size_t i = 0; i < outputs * inputs; i++)
        if (!isfinite(layer->weights[i]))
            return false;
    return true;
}

static int load_layers(mtcnn_network *network, const char *path, const float *values,
                       bool transposed, mtcnn_error *error)
{
    for (int i = 0; i < network->layer_count; i++) {
        mt_layer *layer = &network->layers[i];
        if (!layer->type->load)
            continue;
        const size_t count = (size_t)layer->type->weight_count(layer);
        for (size_t j = 0; j < count; j++)
            if (!isfinite(values[j]))
                return mt_fail(error, MTCNN_ERROR_WEIGHTS,
                               "%s: weight %zu of layer %d [%s] is not a finite number; the file "
                               "is damaged or belongs to another cfg",
                               path, j, i, layer->type->section);
        if (!layer->type->load(layer, values, transposed))
            return mt_fail_memory(error, path, 4 * count);
        if (layer->batch_normalize && !folded_is_finite(layer))
            return mt_fail(error, MTCNN_ERROR_WEIGHTS,
                           "%s: the batch normalisation of layer %d [%s] makes weights that are no "
                           "finite numbers; the file is damaged or belongs to another cfg",
                           path, i, layer->type->section);
        values += count;
    }
    return MTCNN_OK;
}

static bool is_little_endian(void)
{
    const uint16_t one = 1;
    return *(const unsigned char *)&one;
}

/* The numbers [count] of a file in memory that may be written where the machine's order differs. */
static const float *decode(const unsigned char *bytes, size_t count)
{
    if (is_little_endian())
        return (const float *)(const void *)bytes; /* all headers are a multiple of 4 bytes */
    float *values = (float *)(uintptr_t)bytes;
    for (size_t i = 0; i < count; i++) {
        const int32_t bits = little_int32(bytes + 4 * i);
        memcpy(&values[i], &bits, 4);
    }
    return values;
}

/* The file's bytes: of the built-in model where they are, where they can be used as they are. */
static int read_bytes(mtcnn_network *network, const char *path, bool builtin,
                      const unsigned char **bytes, size_t *size, mtcnn_error *error)
{
    const mt_builtin_file *file = builtin && is_little_endian() ? mt_find_builtin(path) : NULL;
    if (file) {
        *bytes = file->begin;
        *size = (size_t)(file->end - file->begin);
        return MTCNN_OK;
    }
    char *data;
    const int status = mt_read_file(path, builtin, &data, size, error);
    network->memory = data;
    *bytes = network->memory;
    return status;
}

/* The weights of a network without a file. */
static int load_zeros(mtcnn_network *network, mtcnn_error *error)
{
    const float *zeros = network->memory = calloc(network->weight_count + 1, sizeof *zeros);
    for (int i = 0; zeros && i < network->layer_count; i++) {
        mt_layer *layer = &network->layers[i];
        if (!layer->type->load)
            continue;
        if (!layer->type->load(layer, zeros, false))
            zeros = NULL;
        else
            zeros += layer->type->weight_count(layer);
    }
    return zeros ? MTCNN_OK
                 : mt_fail_memory(error, network->path, network->weight_count * sizeof *zeros);
}

int mt_weights_load(mtcnn_network *network, const char *path, bool builtin, mtcnn_error *error)
{
    if (!path)
        return load_zeros(network, error);
    const unsigned char *bytes;
    size_t size, header = 16;
    bool transposed = false;
    int status = read_bytes(network, path, builtin, &bytes, &size, error);
    if (status)
        return status;
    if (size >= 12) {
        int32_t major = little_int32(bytes), minor = little_int32(bytes + 4);
        header = header_bytes(major, minor);
        transposed = major > 1000 || minor > 1000;
    }
    status = check_size(network, path, size, header, error);
    if (status)
        return status;
    return load_layers(network, path, decode(bytes + header, network->weight_count), transposed,
                       error);
}
