/* The keys of a cfg's sections, and those that are none: probably mistyped. */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "error.h"
#include "network.h"

/* pjreddie's and AlexeyAB's; all but the first three concern training. */
static const char net_keys[] =
    "width height channels batch subdivisions momentum decay learning_rate max_batches policy "
    "steps "
    "scales B1 B2 adam adversarial_lr angle aspect attention augment_speed "
    "badlabels_rejection_percentage blur burn_in center clip contrastive contrastive_color "
    "contrastive_jit_flip cutmix dynamic_minibatch ema_alpha eps equidistant_point exposure flip "
    "gamma gaussian_noise hue inputs label_smooth_eps learning_rate_min letter_box loss_scale "
    "max_chart_loss max_crop max_ratio min_crop min_ratio mixup mosaic mosaic_bound notruth "
    "num_sigmas_reject_badlabels optimized_memory power random resize_step saturation scale "
    "seq_scales sequential_subdivisions sgdr_cycle sgdr_mult step time_steps track try_fix_nan "
    "unsupervised use_cuda_graph weights_reject_freq workspace_size_limit_MB";

/* Warnings of one cfg: one that is no cfg at all has thousands. */
#define MOST 20

const char *mtcnn_cfg_keys(const char *section)
{
    if (!strcmp(section, "net") || !strcmp(section, "network"))
        return net_keys;
    const mt_layer_type *type = mt_layer_type_of(section);
    return type ? type->keys : NULL;
}

static bool has_name(const char *names, const char *name)
{
    const size_t length = strlen(name);
    for (const char *found = names; (found = strstr(found, name)); found += length)
        if ((found == names || found[-1] == ' ') && (!found[length] || found[length] == ' '))
            return true;
    return false;
}

/* Writes in the manner of snprintf. */
static int write_warning(char *text, size_t size, const mt_section *section,
                         const mt_option *option, const char *keys)
{
    char nearest[64], remedy[96] = "";
    if (mtcnn_nearest(option->key, keys, nearest, sizeof nearest))
        snprintf(remedy, sizeof remedy, "; did you mean %s?", nearest);
    const int length = snprintf(text, size, "%s:%d: [%s] unknown key '%.40s' is ignored%s\n",
                                section->path, option->line, section->name, option->key, remedy);
    /* One line whatever is in names. */
    for (size_t i = 0; i + 1 < (size_t)length && i + 1 < size; i++)
        if (iscntrl((unsigned char)text[i]))
            text[i] = '?';
    return length;
}

/* All of them, in the manner of snprintf. */
static size_t write_warnings(char *text, size_t size, const mt_config *config)
{
    size_t length = 0;
    int count = 0;
    for (int i = 1; i < config->count; i++) {
        const mt_section *section = &config->sections[i];
        const char *keys = mtcnn_cfg_keys(section->name);
        for (int k = 0; k < section->count && keys && count < MOST; k++) {
            const mt_option *option = &section->options[k];
            if (*option->key == '\0' || has_name(keys, option->key))
                continue;
            length += (size_t)write_warning(length < size ? text + length : NULL,
                                            length < size ? size - length : 0, section, option,
                                            keys);
            count++;
        }
    }
    return length;
}

int mt_cfg_warn(const mt_config *config, char **warnings, mtcnn_error *error)
{
    *warnings = NULL;
    const size_t length = write_warnings(NULL, 0, config);
    if (!length)
        return MTCNN_OK;
    *warnings = malloc(length + 1);
    if (!*warnings)
        return mt_fail_memory(error, config->path, length + 1);
    write_warnings(*warnings, length + 1, config);
    return MTCNN_OK;
}
