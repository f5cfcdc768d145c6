#include "arguments.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "crops.h"
#include "message.h"
#include "options.h"
#include "picture.h"

#define TRY_HELP "; try mtcnn --help"

/* Says what is wrong with an option that getopt_long refused. */
static void refuse(int reason, const char *word)
{
    char subject[64];
    if (optopt >= 1 && optopt <= option_count) {
        const struct option_row *row = &option_rows[optopt - 1];
        struct message message;
        if (reason == ':')
            message_set(&message, "needs %s" TRY_HELP, row->takes);
        else
            message_set(&message, "takes no value" TRY_HELP);
        snprintf(subject, sizeof subject, "--%s", row->name);
        message_print(subject, message.text);
    } else if (optopt) {
        snprintf(subject, sizeof subject, "-%c", optopt);
        message_print(subject, "no such option" TRY_HELP);
    } else {
        message_print(word, "no such option, or short for several" TRY_HELP);
    }
}

static void refuse_value(const struct option_row *row, const char *value)
{
    struct message message;
    char subject[128];
    if (row->argument) {
        snprintf(subject, sizeof subject, "--%s %s", row->name, *value ? value : "''");
        message_set(&message, "needs %s" TRY_HELP, row->takes);
    } else {
        snprintf(subject, sizeof subject, "--%s", row->name);
        message_set(&message, "%s" TRY_HELP, row->takes);
    }
    message_print(subject, message.text);
}

/* Says what of the command line does not go together. */
static int check_together(const struct arguments *arguments)
{
    const char *source = arguments->video ? "--video" : arguments->camera >= 0 ? "--camera" : NULL;
    const char *of_video = arguments->every         ? "--every"
                           : arguments->track       ? "--track"
                           : arguments->timeout > 0 ? "--timeout"
                                                    : NULL;
    const char *of_pictures = arguments->crops      ? "--crops"
                              : arguments->wider    ? "--wider"
                              : arguments->jobs > 1 ? "--jobs"
                                                    : NULL;
    if (arguments->video && arguments->camera >= 0)
        message_print("--camera", "cannot go with --video" TRY_HELP);
    else if (source && arguments->word_count)
        message_print(source, "cannot go with pictures" TRY_HELP);
    else if (source && of_pictures)
        message_print(of_pictures, "is for pictures, not for videos" TRY_HELP);
    else if (!source && of_video)
        message_print(of_video, "needs --video or --camera" TRY_HELP);
    else if (!source && !arguments->word_count)
        message_print(NULL, "no picture named" TRY_HELP);
    else if (arguments->track && arguments->stage != STAGE_FINAL)
        message_print("--track", "cannot go with --stage" TRY_HELP);
    else if (arguments->crop_size && !arguments->crops)
        message_print("--crop-size", "needs --crops" TRY_HELP);
    else if (arguments->crops && !output_has_landmarks(arguments->stage))
        message_print("--crops", "needs landmarks, which --stage pnet and rnet do not give");
    else
        return 0;
    return -1;
}

enum arguments_wish arguments_read(struct arguments *arguments, int argc, char **argv)
{
    *arguments = (struct arguments){.thresholds = {-1, -1, -1},
                                    .stage = STAGE_FINAL,
                                    .clip = true,
                                    .threads = 1,
                                    .jobs = 1,
                                    .max_pixels = PICTURE_MAX_MEGAPIXELS,
                                    .camera = -1};

    struct option options[OPTION_MOST + 1] = {0};
    for (int i = 0; i < option_count; i++)
        options[i] = (struct option){.name = option_rows[i].name,
                                     .has_arg = option_rows[i].argument ? required_argument
                                                                        : no_argument,
                                     .val = i + 1};
    if (argc < 2) {
        fputs("usage: mtcnn [OPTION...] INPUT...   (mtcnn --help tells more)\n", stderr);
        return WISH_NOTHING;
    }
    opterr = 0; /* we say it ourselves */
    for (int found; (found = getopt_long(argc, argv, ":h", options, NULL)) != -1;) {
        if (found == 'h')
            return WISH_HELP;
        if (found == '?' || found == ':') {
            refuse(found, argv[optind - 1]);
            return WISH_NOTHING;
        }
        const struct option_row *row = &option_rows[found - 1];
        if (row->wish)
            return row->wish;
        if (!row->read(arguments, optarg)) {
            refuse_value(row, optarg);
            return WISH_NOTHING;
        }
    }
    arguments->words = argv + optind;
    arguments->word_count = argc - optind;
    if (check_together(arguments))
        return WISH_NOTHING;
    if (!arguments->crop_size)
        arguments->crop_size = CROPS_SIDE;
    if (!(arguments->timeout > 0))
        arguments->timeout = VIDEO_TIMEOUT;
    return WISH_DETECT;
}

void arguments_apply(const struct arguments *arguments, mtcnn_options *options)
{
    if (arguments->min_face > 0)
        options->min_face = arguments->min_face;
    if (arguments->thresholds[0] >= 0)
        memcpy(options->thresholds, arguments->thresholds, sizeof options->thresholds);
    if (arguments->scale_factor > 0)
        options->scale_factor = arguments->scale_factor;
    if (arguments->max_boxes[0] > 0)
        memcpy(options->max_boxes, arguments->max_boxes, sizeof options->max_boxes);
    options->final_nms = arguments->final_nms;
    options->threads = arguments->threads;
    options->max_side = arguments->max_side;
    options->clip = arguments->clip;
}
