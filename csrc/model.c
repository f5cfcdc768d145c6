#include "model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "file.h"
#include "settings.h"

const char *const mt_stage_names[MT_STAGES] = {"pnet", "rnet", "onet"};

static const int stage_channels[MT_STAGES] = {MT_PROPOSAL_CHANNELS, MT_PROPOSAL_CHANNELS,
                                              MT_FACE_CHANNELS};

/* Whether key names one of the six files: "pnet_cfg", ..., "onet_weights". */
static bool is_file_key(const char *key)
{
    for (mt_stage stage = 0; stage < MT_STAGES; stage++) {
        const size_t length = strlen(mt_stage_names[stage]);
        if (!strncmp(key, mt_stage_names[stage], length) &&
            (!strcmp(key + length, "_cfg") || !strcmp(key + length, "_weights")))
            return true;
    }
    return false;
}

/* The setting of a .data file's key; NULL if there is none. */
static const mtcnn_setting *find_data_setting(const char *key)
{
    int count;
    const mtcnn_setting *settings = mtcnn_settings(&count);
    for (int i = 0; i < count; i++)
        if (settings[i].flags & MTCNN_IN_DATA && !strcmp(settings[i].name, key))
            return &settings[i];
    return NULL;
}

static int fail_unknown(const mt_section *data, const mt_option *option, mtcnn_error *error)
{
    char known[320] = "";
    int count;
    const mtcnn_setting *settings = mtcnn_settings(&count);
    for (mt_stage stage = 0; stage < MT_STAGES; stage++) {
        const size_t length = strlen(known);
        snprintf(known + length, sizeof known - length, " %s_cfg %s_weights", mt_stage_names[stage],
                 mt_stage_names[stage]);
    }
    for (int i = 0; i < count; i++) {
        const size_t length = strlen(known);
        if (settings[i].flags & MTCNN_IN_DATA)
            snprintf(known + length, sizeof known - length, " %s", settings[i].name);
    }
    char nearest[64];
    if (mtcnn_nearest(option->key, known, nearest, sizeof nearest))
        return mt_fail(error, MTCNN_ERROR_CFG, "%s:%d: unknown key '%.40s'; did you mean %s?",
                       data->path, option->line, option->key, nearest);
    return mt_fail(error, MTCNN_ERROR_CFG, "%s:%d: unknown key '%.40s'; known are%s", data->path,
                   option->line, option->key, known);
}

/* An unknown or repeated key is probably a typing error: report it rather than ignore it. */
static int check_keys(const mt_section *data, mtcnn_error *error)
{
    for (int i = 0; i < data->count; i++) {
        const mt_option *option = &data->options[i];
        if (!is_file_key(option->key) && !find_data_setting(option->key))
            return fail_unknown(data, option, error);
        const mt_option *first = mt_option_find(data, option->key);
        if (first != option)
            return mt_fail(error, MTCNN_ERROR_CFG, "%s:%d: '%s' is already in line %d", data->path,
                           option->line, option->key, first->line);
    }
    return MTCNN_OK;
}

/* All settings of a .data file are required, but those that have a default. */
static int read_settings(mtcnn_model *model, const mt_section *data, mtcnn_error *error)
{
    int count, status = check_keys(data, error);
    const mtcnn_setting *settings = mtcnn_settings(&count);
    mt_settings_default(MTCNN_OF_DETECTOR, &model->options);
    for (int i = 0; i < count && !status; i++) {
        const mtcnn_setting *setting = &settings[i];
        const char *text;
        if (!(setting->flags & MTCNN_IN_DATA) ||
            (setting->fallback && !mt_option_find(data, setting->name)))
            continue;
        void *values = setting->owner == MTCNN_OF_MODEL ? (void *)&model->normalisation
                                                        : (void *)&model->options;
        status = mt_option_text(data, setting->name, &text, error);
        if (!status && mtcnn_setting_parse(setting, text, values, NULL)) {
            char rule[160];
            mtcnn_setting_rule(setting, rule, sizeof rule);
            status = mt_fail_option(data, setting->name, rule, error);
        }
    }
    return status;
}

static int read_network(mtcnn_model *model, mt_stage stage, const mt_section *data, bool builtin,
                        mtcnn_error *error)
{
    char key[2][16] = {"", ""};
    const char *name[2];
    char *path[2] = {NULL, NULL};
    int status = MTCNN_OK;
    for (int i = 0; i < 2 && !status; i++) {
        strcat(strcpy(key[i], mt_stage_names[stage]), i ? "_weights" : "_cfg");
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

/* The three networks must take colour pictures and have the outputs that the cascade reads. */
static int check_network(const mtcnn_network *network, mt_stage stage, mtcnn_error *error)
{
    const mtcnn_shape in = network->input;
    const mtcnn_shape out = network->layers[network->layer_count - 1].out;
    if (in.channels != 3 || in.height != in.width)
        return mt_fail(error, MTCNN_ERROR_MODEL,
                       "%s: %s must take 3 channels of a square; it takes %d of %dx%d pixels",
                       network->path, mt_stage_names[stage], in.channels, in.width, in.height);
    if (out.channels != stage_channels[stage] || out.height != 1 || out.width != 1)
        return mt_fail(error, MTCNN_ERROR_MODEL,
                       "%s: %s must give %d channels of 1x1 pixel; it gives %d of %dx%d",
                       network->path, mt_stage_names[stage], stage_channels[stage], out.channels,
                       out.width, out.height);
    return MTCNN_OK;
}

/* PNet runs on levels of any size, tile by tile: every output must see only its own cell. */
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

/* PNet's stride: the product of the layers' strides from its output back to its input. */
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

/* Cells are `stride` apart: an input larger by that has two of them in each direction. */
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

/* Those of the three networks, in a row. */
static int join_warnings(mtcnn_model *model, mtcnn_error *error)
{
    size_t length = 0;
    for (mt_stage stage = 0; stage < MT_STAGES; stage++)
        length += strlen(mtcnn_network_warnings(model->networks[stage]));
    if (!length)
        return MTCNN_OK;
    model->warnings = calloc(length + 1, 1);
    if (!model->warnings)
        return mt_fail_memory(error, "warnings", length + 1);
    for (mt_stage stage = 0; stage < MT_STAGES; stage++)
        strcat(model->warnings, mtcnn_network_warnings(model->networks[stage]));
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
    if (!status)
        status = join_warnings(model, error);
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
    free((*model)->warnings);
    free(*model);
    *model = NULL;
}

const char *mtcnn_model_warnings(const mtcnn_model *model)
{
    return model->warnings ? model->warnings : "";
}

int mtcnn_has_builtin_model(void)
{
    return mt_builtin_files[0].name != NULL;
}

void mtcnn_model_options(const mtcnn_model *model, mtcnn_options *options)
{
    *options = model->options;
}
