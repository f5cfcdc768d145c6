#include "workspace.h"

#include <stdint.h>

#include "error.h"
#include "gemm.h"

/* ---- laying out a run ------------------------------------------------------------------------ */

/* One tensor of a planned run; tensor 0 is the input, tensor i + 1 the output of layer i. */
typedef struct mt_tensor {
    mtcnn_shape shape;
    int storage;   /* tensor whose place this one shares; itself if it has its own */
    int last_use;  /* last layer that reads the storage */
    size_t offset; /* floats from the arena's start, of a storage */
    size_t volume; /* floats, batch included */
} mt_tensor;

/* Makes room for the tensors and fills in their shapes; there is no plan any more. */
static int infer_shapes(mt_workspace *workspace, const mtcnn_network *network, int height,
                        int width, mtcnn_error *error)
{
    const size_t count = (size_t)network->layer_count + 1;
    workspace->network = NULL;
    if (!mt_reserve(&workspace->buffers[MT_WORKSPACE_TENSORS], count, sizeof(mt_tensor)))
        return mt_fail_memory(error, network->path, count * sizeof(mt_tensor));
    mt_tensor *tensors = workspace->buffers[MT_WORKSPACE_TENSORS].data;
    tensors[0].shape = (mtcnn_shape){network->input.channels, height, width};
    for (int i = 0; i <= network->layer_count; i++) {
        mt_tensor *tensor = &tensors[i];
        if (i > 0) {
            const mt_layer *layer = &network->layers[i - 1];
            mtcnn_shape in[MT_MAX_INPUTS];
            for (int j = 0; j < layer->input_count; j++)
                in[j] = tensors[layer->inputs[j]].shape;
            int status = layer->type->shape(layer, in, &tensor->shape, error);
            if (status)
                return status;
        }
        const uint64_t pixels = (uint64_t)tensor->shape.height * (uint64_t)tensor->shape.width;
        if (pixels > INT32_MAX)
            return mt_fail(error, MTCNN_ERROR_ARGUMENT, "%s: an input of %dx%d pixels is too large",
                           network->path, width, height);
    }
    return MTCNN_OK;
}

/* A route of one layer is that layer; an in-place layer takes over an input that no other reads. */
static void share_storage(const mtcnn_network *network, mt_tensor *tensors)
{
    for (int i = 0; i <= network->layer_count; i++) {
        tensors[i].storage = i;
        tensors[i].last_use = i - 1;
    }
    for (int i = 0; i < network->layer_count; i++)
        for (int j = 0; j < network->layers[i].input_count; j++)
            tensors[network->layers[i].inputs[j]].last_use = i;
    tensors[network->layer_count].last_use = network->layer_count;

    for (int i = 0; i < network->layer_count; i++) {
        const mt_layer *layer = &network->layers[i];
        mt_tensor *output = &tensors[i + 1];
        mt_tensor *storage = &tensors[tensors[layer->inputs[0]].storage];
        bool alias = layer->type == &mt_route && layer->input_count == 1;
        bool overwrite = layer->type->in_place && storage->last_use == i;
        if (!alias && !overwrite)
            continue;
        output->storage = (int)(storage - tensors);
        if (output->last_use > storage->last_use)
            storage->last_use = output->last_use;
    }
}

/* Floats of each tensor, whole cache lines; returns false where all of them cannot have room. */
static bool measure(const mtcnn_network *network, mt_tensor *tensors, int batch)
{
    const size_t most = SIZE_MAX / sizeof(float) / 2; /* half for the layers' scratch */
    size_t sum = 0;
    for (int i = 0; i <= network->layer_count; i++) {
        mt_tensor *tensor = &tensors[i];
        const size_t pixels = (size_t)tensor->shape.height * (size_t)tensor->shape.width;
        if (!mt_multiply(pixels, (size_t)tensor->shape.channels, &tensor->volume) ||
            !mt_multiply(tensor->volume, (size_t)batch, &tensor->volume) ||
            tensor->volume > most - MT_LINE_FLOATS)
            return false;
        tensor->volume = mt_whole_lines(tensor->volume);
        if (tensor->volume > most - sum)
            return false;
        sum += tensor->volume;
    }
    return true;
}

/* Gives every storage the lowest place that no other holds at the same time; returns the end. */
static size_t place_storage(const mtcnn_network *network, mt_tensor *tensors)
{
    size_t end = 0;
    for (int i = 0; i <= network->layer_count; i++) {
        mt_tensor *tensor = &tensors[i];
        if (tensor->storage != i)
            continue;
        size_t offset = 0;
        for (bool moved = true; moved;) {
            moved = false;
            for (int j = 0; j < i; j++) {
                const mt_tensor *other = &tensors[j];
                /* The output of layer i - 1 must not meet what that layer or later ones read. */
                if (other->storage != j || other->last_use < i - 1)
                    continue;
                if (offset < other->offset + other->volume &&
                    other->offset < offset + tensor->volume) {
                    offset = other->offset + other->volume;
                    moved = true;
                }
            }
        }
        tensor->offset = offset;
        if (offset + tensor->volume > end)
            end = offset + tensor->volume;
    }
    return end;
}

int mt_workspace_plan(mt_workspace *workspace, const mtcnn_network *network, int batch, int height,
                      int width, mtcnn_error *error)
{
    if (workspace->network == network && workspace->batch == batch && workspace->height == height &&
        workspace->width == width)
        return MTCNN_OK;
    int status = mt_gemm_load(error); /* a packed network may be run layer by layer, too */
    if (status)
        return status;
    status = infer_shapes(workspace, network, height, width, error);
    if (status)
        return status;
    mt_tensor *tensors = workspace->buffers[MT_WORKSPACE_TENSORS].data;
    if (!measure(network, tensors, batch))
        return mt_fail(error, MTCNN_ERROR_MEMORY, "%s: an input of %d x %dx%d pixels is too large",
                       network->path, batch, width, height);
    share_storage(network, tensors);
    const size_t end = place_storage(network, tensors);

    size_t scratch = 0;
    for (int i = 0; i < network->layer_count; i++) {
        const mt_layer *layer = &network->layers[i];
        if (!layer->type->scratch)
            continue;
        size_t need = layer->type->scratch(layer, tensors[layer->inputs[0]].shape,
                                           tensors[i + 1].shape);
        scratch = need > scratch ? need : scratch;
    }
    if (scratch > SIZE_MAX / sizeof(float) / 2 ||
        !mt_reserve(&workspace->buffers[MT_WORKSPACE_ARENA], end + scratch, sizeof(float)))
        return mt_fail_memory(error, network->path, (end + scratch) * sizeof(float));
    workspace->scratch = end;
    workspace->network = network;
    workspace->batch = batch;
    workspace->height = height;
    workspace->width = width;
    return MTCNN_OK;
}

int mt_workspace_shape(mt_workspace *workspace, const mtcnn_network *network, int layer, int height,
                       int width, mtcnn_shape *shape, mtcnn_error *error)
{
    const int status = infer_shapes(workspace, network, height, width, error);
    if (!status)
        *shape =
            ((const mt_tensor *)workspace->buffers[MT_WORKSPACE_TENSORS].data)[layer + 1].shape;
    return status;
}

/* ---- running --------------------------------------------------------------------------------- */

static float *tensor_data(const mt_workspace *workspace, int index)
{
    const mt_tensor *tensors = workspace->buffers[MT_WORKSPACE_TENSORS].data;
    return (float *)workspace->buffers[MT_WORKSPACE_ARENA].data +
           tensors[tensors[index].storage].offset;
}

float *mt_workspace_input(const mt_workspace *workspace)
{
    return tensor_data(workspace, 0);
}

const float *mt_workspace_run(const mt_workspace *workspace, mtcnn_shape *shape)
{
    const mtcnn_network *network = workspace->network;
    const mt_tensor *tensors = workspace->buffers[MT_WORKSPACE_TENSORS].data;
    mt_gemm_single_thread();
    for (int i = 0; i < network->layer_count; i++) {
        const mt_layer *layer = &network->layers[i];
        if (layer->type == &mt_route && tensors[i + 1].storage != i + 1)
            continue; /* the same memory already */
        mtcnn_shape in[MT_MAX_INPUTS];
        const float *inputs[MT_MAX_INPUTS];
        for (int j = 0; j < layer->input_count; j++) {
            in[j] = tensors[layer->inputs[j]].shape;
            inputs[j] = tensor_data(workspace, layer->inputs[j]);
        }
        layer->type->forward(layer,
                             &(mt_pass){
                                 .batch = workspace->batch,
                                 .in = in,
                                 .inputs = inputs,
                                 .out = tensors[i + 1].shape,
                                 .output = tensor_data(workspace, i + 1),
                                 .scratch = (float *)workspace->buffers[MT_WORKSPACE_ARENA].data +
                                            workspace->scratch,
                             });
    }
    *shape = tensors[network->layer_count].shape;
    return tensor_data(workspace, network->layer_count);
}

void mt_workspace_free(mt_workspace *workspace)
{
    mt_buffers_release(workspace->buffers, MT_WORKSPACE_BUFFERS);
    workspace->network = NULL;
}
