#include "packed.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "network.h"
#include "packed_steps.h"
#include "winograd.h"

/*
 * Convolutions of 3x3 take Winograd's method from this many channels on: below, there is too little
 * between the transforms. One that makes a single pixel of the cfg's own input is the last of PNet,
 * which runs on larger pictures, or a dense layer, whose weights would become four times as many.
 */
#define WINOGRAD_CHANNELS 8
#define WINOGRAD_WEIGHTS 16384

/* A score before its activation that is so much lower may reach a threshold, by rounding. */
#define SCORE_MARGIN 0.01f

/* Before the logistic function, which rounds to 1 from 17 on: less than any that may become 1. */
#define CERTAIN_SCORE 15.0f

/* ---- packing --------------------------------------------------------------------------------- */

/* The tensor that a route of one layer stands for. */
static int resolve(const mtcnn_network *network, int tensor)
{
    while (tensor > 0) {
        const mt_layer *layer = &network->layers[tensor - 1];
        const bool alias = layer->type == &mt_route && layer->input_count == 1;
        if (!alias && layer->type != &mt_dropout)
            break;
        tensor = layer->inputs[0];
    }
    return tensor;
}

static bool is_plain_convolution(const mt_layer *layer)
{
    return layer->type == &mt_convolutional && layer->pad == 0 && layer->stride == 1 &&
           layer->groups == 1 && layer->size <= MT_MAX_ROWS;
}

static int padded(int channels, int vector)
{
    return (channels + vector - 1) / vector * vector;
}

/* Of a convolution that comes next; the network's input is not padded to whole vectors. */
static bool takes_winograd(const mt_packed *packed, const mt_layer *layer)
{
    const int ins = layer->in.channels;
    const bool whole = layer->out.height == 1 && layer->out.width == 1;
    return packed->count > 0 && !packed->kernels->direct && layer->size == 3 &&
           ins >= WINOGRAD_CHANNELS && !(whole && 9 * ins * layer->out.channels > WINOGRAD_WEIGHTS);
}

static bool reserve_weights(mt_step *step, size_t weights)
{
    step->weights = calloc(weights, sizeof(float));
    step->biases = calloc((size_t)step->out_step, sizeof(float));
    step->slopes = calloc((size_t)step->out_step, sizeof(float));
    return step->weights && step->biases && step->slopes;
}

/*
 * Adds a convolution whose output channels are those of `parts` layers in turn (one, except
 * for heads); slopes [channels] or NULL for linear. Returns false if there is no memory.
 */
static bool add_convolution(mt_packed *packed, const mt_layer *const *parts, int part_count,
                            const float *slopes, int in_step)
{
    const int vector = packed->kernels->vector;
    const mt_layer *first = parts[0];
    const int size = first->size, ins = first->in.channels;
    const bool winograd = slopes && takes_winograd(packed, first);
    int outs = 0;
    for (int i = 0; i < part_count; i++)
        outs += parts[i]->out.channels;

    mt_step *step = &packed->steps[packed->count++];
    *step = (mt_step){.kind = winograd ? MT_WINOGRAD : MT_CONVOLVE,
                      .size = size,
                      .stride = 1,
                      .in_channels = ins,
                      .out_channels = outs,
                      .in_step = in_step,
                      .out_step = padded(outs, vector)};
    step->panel = step->out_step / vector % 2 ? 1 : 2;

    const int points = winograd ? MT_POINTS : size * size;
    if (!reserve_weights(step, (size_t)points * ins * step->out_step))
        return false;
    const int panel = step->panel * vector;
    const size_t next = (size_t)ins * panel; /* floats from one point to the next */
    int c = 0;
    for (int i = 0; i < part_count; i++) {
        for (int o = 0; o < parts[i]->out.channels; o++, c++) {
            const float *filter = parts[i]->weights + (size_t)o * ins * size * size;
            float *to = step->weights + (c / panel) * points * next + c % panel;
            for (int in = 0; in < ins; in++, to += panel, filter += size * size) {
                if (winograd)
                    mt_winograd_filter(filter, to, next);
                for (int k = 0; k < points && !winograd; k++)
                    to[k * next] = filter[k];
            }
            step->biases[c] = parts[i]->biases[o];
            step->slopes[c] = slopes ? slopes[c] : 1.0f;
        }
    }
    return true;
}

/*
 * Makes one step of the only one so far, a convolution, and a pooling after it, where they are of
 * that form. Returns false if there is no memory.
 */
static bool add_stem(mt_packed *packed, const mt_layer *convolution, const mt_layer *pooling,
                     bool *added)
{
    mt_step *step = &packed->steps[0];
    *added = false;
    if (packed->kernels->direct || packed->count != 1 || step->kind != MT_CONVOLVE ||
        step->size != 3 || step->in_channels != 3 || step->out_channels > MT_MAX_STEM_CHANNELS ||
        pooling->size != 2 || pooling->stride != 2)
        return true;
    float *weights = calloc((size_t)step->out_channels * 27, sizeof *weights);
    if (!weights)
        return false;
    for (int o = 0; o < step->out_channels; o++)
        for (int c = 0; c < 3; c++)
            for (int k = 0; k < 9; k++)
                weights[27 * o + k / 3 * 9 + c * 3 + k % 3] =
                    convolution->weights[27 * o + 9 * c + k];
    free(step->weights);
    step->weights = weights;
    step->kind = MT_STEM;
    step->size = 4; /* 2 outputs of 3 */
    step->stride = 2;
    step->pad = pooling->pad;
    *added = true;
    return true;
}

/* What was found while packing: go on, or not of the form, or no memory. */
typedef enum mt_found { MT_FITS, MT_OTHER, MT_NO_MEMORY } mt_found;

/* Packs the layers from the input to the tensor `last`, which must be a chain. */
static mt_found add_chain(mt_packed *packed, const mtcnn_network *network, int last)
{
    int tensor = 0, in_step = network->input.channels;
    const mt_layer *first = NULL; /* convolution */
    for (int i = 0; tensor != last; i++) {
        if (i == network->layer_count || packed->count == MT_MAX_STEPS - 1)
            return MT_OTHER;
        const mt_layer *layer = &network->layers[i];
        if (resolve(network, i + 1) == tensor)
            continue; /* another name of it */
        if (resolve(network, layer->inputs[0]) != tensor)
            return MT_OTHER;
        if (layer->type == &mt_maxpool && layer->pad <= 1 && layer->pad < layer->size &&
            layer->size <= MT_MAX_ROWS && packed->count > 0) {
            bool stem;
            if (!add_stem(packed, first, layer, &stem))
                return MT_NO_MEMORY;
            if (!stem)
                packed->steps[packed->count++] = (mt_step){.kind = MT_POOL,
                                                           .size = layer->size,
                                                           .stride = layer->stride,
                                                           .pad = layer->pad,
                                                           .in_channels = layer->in.channels,
                                                           .out_channels = layer->in.channels,
                                                           .in_step = in_step,
                                                           .out_step = in_step};
        } else if (is_plain_convolution(layer)) {
            float slope;
            if (!mt_activation_slope(layer->activation, &slope))
                return MT_OTHER;
            const mt_layer *next = i + 1 < network->layer_count ? layer + 1 : NULL;
            const bool prelu = next && next->type == &mt_prelu && next->inputs[0] == i + 1 &&
                               layer->activation == MT_LINEAR && last != i + 1;
            float slopes[MT_MAX_FILTERS];
            if (layer->out.channels > MT_MAX_FILTERS)
                return MT_OTHER;
            for (int c = 0; c < layer->out.channels; c++)
                slopes[c] = prelu ? next->slopes[next->groups == 1 ? 0 : c] : slope;
            if (!add_convolution(packed, &layer, 1, slopes, in_step))
                return MT_NO_MEMORY;
            first = first ? first : layer;
            i += prelu;
        } else {
            return MT_OTHER;
        }
        in_step = packed->steps[packed->count - 1].out_step;
        tensor = i + 1;
    }
    return packed->count ? MT_FITS : MT_OTHER;
}

/* The convolutions that the last layer joins, in its order; all must read one tensor. */
static mt_found add_heads(mt_packed *packed, const mtcnn_network *network)
{
    const mt_layer *joint = &network->layers[network->layer_count - 1];
    const mt_layer *heads[MT_MAX_OUTPUTS];
    if (joint->type != &mt_route || joint->input_count > MT_MAX_OUTPUTS)
        return MT_OTHER;
    int trunk = -1;
    for (int i = 0; i < joint->input_count; i++) {
        const int tensor = resolve(network, joint->inputs[i]);
        if (tensor == 0 || !is_plain_convolution(&network->layers[tensor - 1]))
            return MT_OTHER;
        heads[i] = &network->layers[tensor - 1];
        const int input = resolve(network, heads[i]->inputs[0]);
        if ((trunk >= 0 && input != trunk) || heads[i]->size != heads[0]->size)
            return MT_OTHER;
        trunk = input;
        for (int o = 0; o < heads[i]->out.channels; o++) {
            if (packed->outputs == MT_MAX_OUTPUTS)
                return MT_OTHER;
            packed->activations[packed->outputs++] = heads[i]->activation;
        }
    }
    mt_found found = add_chain(packed, network, trunk);
    if (found != MT_FITS)
        return found;
    const int in_step = packed->steps[packed->count - 1].out_step;
    if (!add_convolution(packed, heads, joint->input_count, NULL, in_step))
        return MT_NO_MEMORY;
    packed->score_weights = calloc((size_t)in_step, sizeof(float));
    if (!packed->score_weights)
        return MT_NO_MEMORY;
    if (heads[0]->size == 1)
        memcpy(packed->score_weights, heads[0]->weights,
               (size_t)heads[0]->in.channels * sizeof(float));
    return MT_FITS;
}

/* At the cfg's own size, the first convolution that covers all that is left of the picture. */
static void find_dense_steps(mt_packed *packed)
{
    int height = packed->input.height, width = packed->input.width;
    for (packed->spatial = 0; packed->spatial < packed->count; packed->spatial++) {
        const mt_step *step = &packed->steps[packed->spatial];
        if (step->kind == MT_CONVOLVE && height == step->size && width == step->size)
            break;
        height = mt_step_output(step, height);
        width = mt_step_output(step, width);
    }
}

int mt_pack(mt_packed **result, const mtcnn_network *network, const mt_kernels *kernels)
{
    *result = NULL;
    mt_packed *packed = calloc(1, sizeof *packed);
    if (!packed)
        return MTCNN_ERROR_MEMORY;
    packed->kernels = kernels;
    packed->input = network->input;
    const mt_found found = add_heads(packed, network);
    if (found != MT_FITS) {
        mt_packed_free(&packed);
        return found == MT_OTHER ? MTCNN_OK : MTCNN_ERROR_MEMORY;
    }
    find_dense_steps(packed);
    *result = packed;
    return MTCNN_OK;
}

void mt_packed_free(mt_packed **result)
{
    if (!*result)
        return;
    for (int i = 0; i < (*result)->count; i++) {
        free((*result)->steps[i].weights);
        free((*result)->steps[i].biases);
        free((*result)->steps[i].slopes);
    }
    free((*result)->score_weights);
    free(*result);
    *result = NULL;
}

int mt_packed_outputs(const mt_packed *packed)
{
    return packed->outputs;
}

void mt_packed_activate(const mt_packed *packed, float *values)
{
    for (int c = 0; c < packed->outputs; c++)
        if (packed->activations[c] != MT_LINEAR)
            mt_activate(&values[c], 1, 0.0f, packed->activations[c]);
}

float mt_packed_threshold(const mt_packed *packed, float threshold)
{
    if (packed->activations[0] == MT_LINEAR)
        return threshold - SCORE_MARGIN;
    if (packed->activations[0] != MT_LOGISTIC || threshold <= 0.0f)
        return -INFINITY;
    /* The inverse of the logistic function. */
    return threshold < 1.0f ? logf(threshold / (1.0f - threshold)) - SCORE_MARGIN : CERTAIN_SCORE;
}

void mt_step_convolve(const mt_packed *packed, const mt_step *step, const float *const *rows,
                      ptrdiff_t next, int outputs, float *output, ptrdiff_t output_step)
{
    const bool whole = step->in_step == step->in_channels; /* no padding between the pixels */
    packed->kernels->convolve(&(mt_row_convolution){
        .rows = rows,
        .row_count = step->size,
        .segments = whole ? 1 : step->size,
        .segment_step = step->in_step,
        .length = whole ? step->size * step->in_channels : step->in_channels,
        .step = next,
        .outputs = outputs,
        .vectors = step->out_step / packed->kernels->vector,
        .panel = step->panel,
        .weights = step->weights,
        .biases = step->biases,
        .slopes = step->slopes,
        .output = output,
        .output_step = output_step,
    });
}

void mt_step_pool(const mt_packed *packed, const mt_step *step, const float *const *rows,
                  int row_count, int in_width, int outputs, float *output)
{
    packed->kernels->pool(&(mt_row_pooling){
        .rows = rows,
        .row_count = row_count,
        .width = in_width,
        .channels = step->in_step,
        .size = step->size,
        .stride = step->stride,
        .outputs = outputs,
        .output = output,
    });
}
