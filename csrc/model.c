#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "file.h"

static const char *const stage_names[MT_STAGES] = {"pnet", "rnet", "onet"};

static const int stage_channels[MT_STAGES] = {MT_PROPOSAL_CHANNELS, MT_PROPOSAL_CHANNELS,
                                              MT_FACE_CHANNELS};

static int check_fraction(const char *name, float value, mtcnn_error *error)
{
    if (value >= 0.0f && value <= 1.0f)
        return MTCNN_OK;
    return mt_fail(error, MTCNN_ERROR_ARGUMENT, "%s %g is outside 0 to 1", name, (double)value);
}

int mt_check_options(const mtcnn_options *options, mtcnn_error *error)
{
    int status;
    if (!(options->min_face >= 1.0 && options->min_face <= MTCNN_MAX_SIDE))
        return mt_fail(error, MTCNN_ERROR_ARGUMENT, "min_face %g is outside 1 to %d pixels",
                       options->min_face, MTCNN_MAX_SIDE);
    if (!(options->scale_factor > 0.0 && options->scale_factor < 1.0))
        return mt_fail(error, MTCNN_ERROR_ARGUMENT,
                       "scale_factor %g is not between 0 and 1 (both excluded)",
                       options->scale_factor);
    for (int i = 0; i < 3; i++)
        if ((status = check_fraction("threshold", options->thresholds[i], error)))
            return status;
    for (int i = 0; i < 4; i++)
        if ((status = check_fraction("nms", options->nms[i], error)))
            return status;
    for (int i = 0; i < 3; i++)
        if (options->max_boxes[i] < 1 || options->max_boxes[i] > MTCNN_MAX_BOXES)
            return mt_fail(error, MTCNN_ERROR_ARGUMENT, "max_boxes %d is outside 1 to %d",
                           options->max_boxes[i], MTCNN_MAX_BOXES);
    if (options->threads < 1 || options->threads > MTCNN_MAX_THREADS)
        return mt_fail(error, MTCNN_ERROR_ARGUMENT, "threads %d is outside 1 to %d",
                       options->threads, MTCNN_MAX_THREADS);
    if (options->max_side < 0 || options->max_side > MTCNN_MAX_SIDE)
        return mt_fail(error, MTCNN_ERROR_ARGUMENT, "max_side %d is outside 0 to %d pixels",
                       options->max_side, MTCNN_MAX_SIDE);
    if ((int)options->final_nms < MTCNN_NMS_HARD || (int)options->final_nms > MTCNN_NMS_SOFT)
        return mt_fail(error, MTCNN_ERROR_ARGUMENT, "unknown final_nms %d",
                       (int)options->final_nms);
    return MTCNN_OK;
}

/* A key that is not known, or comes twice, is a slip of the pen: say so rather than ignore it. */
static int check_keys(const mt_section *data, mtcnn_error *error)
{
    static const char known[] = " pnet_cfg pnet_weights rnet_cfg rnet_weights onet_cfg onet_weights"
                                " thresholds min_face scale_factor nms max_boxes mean norm color"
                                " pad ";
    for (int i = 0; i < data->count; i++) {
        const mt_option *option = &data->options[i];
        char word[32];
        const int length = snprintf(word, sizeof word, " %s ", option->key);
        if (length >= (int)sizeof word || strchr(option->key, ' ') || !strstr(known, word))
            return mt_fail(error, MTCNN_ERROR_CFG, "%s:%d: unknown key '%.40s'; known are%s",
                           data->path, option->line, option->key, known);
        const mt_option *first = mt_option_find(data, option->key);
        if (first != option)
            return mt_fail(error, MTCNN_ERROR_CFG, "%s:%d: '%s' stands in line %d already",
                           data->path, option->line, option->key, first->line);
    }
    return MTCNN_OK;
}

/* *values = count numbers from low to high; expected: how messages say so. */
static int read_range(const mt_section *data, const char *key, int count, double low, double high,
                      const char *expected, double *values, mtcnn_error *error)
{
    int status = mt_option_numbers(data, key, count, values, error);
    for (int i = 0; i < count && !status; i++)
        if (!(values[i] >= low && values[i] <= high))
            status = mt_fail_option(data, key, expected, error);
    return status;
}

static int read_max_boxes(const mt_section *data, int boxes[3], mtcnn_error *error)
{
    static const char expected[] = "three whole numbers from 1 to 1000000 were";
    double values[3];
    int status = read_range(data, "max_boxes", 3, 1.0, MTCNN_MAX_BOXES, expected, values, error);
    for (int i = 0; i < 3 && !status; i++) {
        boxes[i] = (int)values[i];
        if (boxes[i] != values[i])
            status = mt_fail_option(data, "max_boxes", expected, error);
    }
    return status;
}

static int read_settings(mtcnn_model *model, const mt_section *data, mtcnn_error *error)
{
    mtcnn_options *options = &model->options;
    mt_normalisation *normalisation = &model->normalisation;
    double thresholds[3], nms[4], pad;
    const char *color;
    int status;
    if ((status = check_keys(data, error)) ||
        (status = read_range(data, "thresholds", 3, 0.0, 1.0, "three numbers from 0 to 1 were",
                             thresholds, error)) ||
        (status = read_range(data, "min_face", 1, 1.0, MTCNN_MAX_SIDE,
                             "a number from 1 to 1000000 was", &options->min_face, error)) ||
        (status = mt_option_numbers(data, "scale_factor", 1, &options->scale_factor, error)) ||
        (status = read_range(data, "nms", 4, 0.0, 1.0, "four numbers from 0 to 1 were", nms,
                             error)) ||
        (status = read_max_boxes(data, options->max_boxes, error)) ||
        (status = mt_option_floats(data, "mean", 1, &normalisation->mean, error)) ||
        (status = mt_option_floats(data, "norm", 1, &normalisation->norm, error)) ||
        (status = read_range(data, "pad", 1, 0.0, 255.0, "a number from 0 to 255 was", &pad,
                             error)) ||
        (status = mt_option_text(data, "color", &color, error)))
        return status;
    if (!(options->scale_factor > 0.0 && options->scale_factor < 1.0))
        return mt_fail_option(data, "scale_factor", "a number above 0 and below 1 was", error);
    if (normalisation->norm == 0.0f)
        return mt_fail_option(data, "norm", "a number other than 0 was", error);
    if (strcmp(color, "RGB") && strcmp(color, "BGR"))
        return mt_fail_option(data, "color", "RGB or BGR was", error);

    for (int i = 0; i < 3; i++)
        options->thresholds[i] = (float)thresholds[i];
    for (int i = 0; i < 4; i++)
        options->nms[i] = (float)nms[i];
    options->clip = 1;
    options->threads = 1;
    options->max_side = 0;
    options->final_nms = MTCNN_NMS_HARD;
    normalisation->pad = (float)pad;
    normalisation->color = strcmp(color, "RGB") ? MTCNN_BGR : MTCNN_RGB;
    return MTCNN_OK;
}

static int read_network(mtcnn_model *model, mt_stage stage, const mt_section *data, bool builtin,
                        mtcnn_error *error)
{
    char key[2][16] = {"", ""};
    const char *name[2];
    char *path[2] = {NULL, NULL};
    int status = MTCNN_OK;
    for (int i = 0; i < 2 && !status; i++) {
        strcat(strcpy(key[i], stage_names[stage]), i ? "_weights" : "_cfg");
        status = mt_option_text(data, key[i], &name[i], error);
        if (!status && !(path[i] = mt_path_beside(data->path, name[i])))
            status = mt_fail_memory(error, name[i], strlen(name[i]));
    }
    if (!status)
        status = mt_network_load(&model->networks[stage], path[0], path[1], builtin, model->kernels,
                                 error);
    free(path[0]);
    free(path[1]);
    return status;
}

/* The three networks must take colour pictures and give what the cascade reads. */
static int check_network(const mtcnn_network *network, mt_stage stage, mtcnn_error *error)
{
    const mtcnn_shape in = network->input;
    const mtcnn_shape out = network->layers[network->layer_count - 1].out;
    if (in.channels != 3 || in.height != in.width)
        return mt_fail(error, MTCNN_ERROR_MODEL,
                       "%s: %s must take 3 channels of a square; it takes %d of %dx%d pixels",
                       network->path, stage_names[stage], in.channels, in.width, in.height);
    if (out.channels != stage_channels[stage] || out.height != 1 || out.width != 1)
        return mt_fail(error, MTCNN_ERROR_MODEL,
                       "%s: %s must give %d channels of 1x1 pixel; it gives %d of %dx%d",
                       network->path, stage_names[stage], stage_channels[stage], out.channels,
                       out.width, out.height);
    return MTCNN_OK;
}

/* PNet runs on levels of any size, tile by tile: every output must see its own cell alone. */
static int check_fully_convolutional(const mtcnn_network *network, mtcnn_error *error)
{
    for (int i = 0; i < network->layer_count; i++) {
        const mt_layer *layer = &network->layers[i];
        /* A window that reaches past the cell would see more of the picture in the middle of it. */
        const bool cut = (layer->out.height - 1) * layer->stride + layer->size > layer->in.height;
        const bool padded = (layer->type == &mt_convolutional && layer->pad > 0) ||
                            (layer->type == &mt_maxpool && (layer->pad > 1 || cut));
        const bool global = layer->type == &mt_connected || layer->type == &mt_avgpool ||
                            (layer->type == &mt_softmax && !layer->spatial);
        if (padded || global)
            return mt_fail(error, MTCNN_ERROR_MODEL,
                           "%s:%d: [%s]: PNet must be fully convolutional and without padding (a "
                           "[maxpool] may have padding=1 if it is of no use at PNet's own size)",
                           network->path, layer->line, layer->type->section);
    }
    return MTCNN_OK;
}

/* PNet's stride: the product of those on the way from its output back to its input. */
static int64_t output_stride(const mtcnn_network *network)
{
    int64_t stride = 1;
    for (int tensor = network->layer_count; tensor > 0 && stride <= network->input.width;) {
        const mt_layer *layer = &network->layers[tensor - 1];
        if (layer->stride > 1)
            stride *= layer->stride;
        tensor = layer->inputs[0];
    }
    return stride;
}

/* Cells lie `stride` apart: an input larger by that has two of them each way. */
static int find_grid(mtcnn_model *model, mtcnn_error *error)
{
    const mtcnn_network *pnet = model->networks[MT_PNET];
    const int cell = pnet->input.width;
    const int64_t stride = output_stride(pnet);
    mtcnn_shape shape = {0, 0, 0};
    if (stride <= cell) {
        int status = mtcnn_network_shape(pnet, -1, cell + (int)stride, cell + (int)stride, &shape,
                                         NULL, error);
        if (status)
            return status;
    }
    if (shape.height != 2 || shape.width != 2)
        return mt_fail(error, MTCNN_ERROR_MODEL,
                       "%s: PNet's outputs do not lie on one grid, at most its width %d apart",
                       pnet->path, cell);
    model->cell = cell;
    model->stride = (int)stride;
    return MTCNN_OK;
}

int mtcnn_model_load(mtcnn_model **result, const char *path, mtcnn_error *error)
{
    mt_clear(error);
    if (!result)
        return mt_fail(error, MTCNN_ERROR_ARGUMENT, "mtcnn_model_load: model is NULL");
    *result = NULL;
    const bool builtin = !path;
    if (builtin && !mtcnn_has_builtin_model())
        return mt_fail(error, MTCNN_ERROR_MODEL,
                       "no model is compiled into this library: name a .data file "
                       "(convert/import_pretrained.py makes one of published weights)");

    mt_config config;
    int status = mt_config_read(&config, builtin ? mt_builtin_files[0].name : path, builtin, error);
    if (status)
        return status;
    mtcnn_model *model = calloc(1, sizeof *model);
    if (!model)
        status = mt_fail_memory(error, config.path, sizeof *model);
    else if (config.count > 1)
        status = mt_fail(error, MTCNN_ERROR_CFG, "%s:%d: a .data file has no sections like [%s]",
                         config.path, config.sections[1].line, config.sections[1].name);
    const mt_section *data = &config.sections[0];
    if (!status)
        status = read_settings(model, data, error);
    if (!status)
        status = mt_kernels_choose(&model->kernels, error);
    for (mt_stage stage = 0; stage < MT_STAGES && !status; stage++) {
        status = read_network(model, stage, data, builtin, error);
        if (!status)
            status = check_network(model->networks[stage], stage, error);
    }
    if (!status)
        status = check_fully_convolutional(model->networks[MT_PNET], error);
    if (!status)
        status = find_grid(model, error);
    mt_config_free(&config);
    if (status) {
        mtcnn_model_free(&model);
        return status;
    }
    *result = model;
    return MTCNN_OK;
}

void mtcnn_model_free(mtcnn_model **model)
{
    if (!model || !*model)
        return;
    for (mt_stage stage = 0; stage < MT_STAGES; stage++)
        mtcnn_network_free(&(*model)->networks[stage]);
    free(*model);
    *model = NULL;
}

int mtcnn_has_builtin_model(void)
{
    return mt_builtin_files[0].name != NULL;
}

void mtcnn_model_options(const mtcnn_model *model, mtcnn_options *options)
{
    *options = model->options;
}
