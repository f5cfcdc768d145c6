#include "arguments.h"

#include <ctype.h>
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"

#define TRY_HELP "; try mtcnn --help"

enum { FIRST_ROW = 256 }; /* what getopt_long returns for the first row: no character */

/* ---- members of the program's own settings --------------------------------------------------- */

#define MEMBER(name) \
    { \
#name, offsetof(struct arguments, name) \
    }

static const struct {
    const char *name;
    size_t offset;
} members[] = {
    MEMBER(model),   MEMBER(stage),     MEMBER(jobs),   MEMBER(max_pixels), MEMBER(json),
    MEMBER(csv),     MEMBER(time),      MEMBER(out),    MEMBER(crops),      MEMBER(crop_size),
    MEMBER(wider),   MEMBER(video),     MEMBER(camera), MEMBER(track),      MEMBER(fps),
    MEMBER(timeout), MEMBER(reconnect),
};

static void *member_of(struct arguments *arguments, const mtcnn_setting *setting)
{
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (!strcmp(members[i].name, setting->name))
            return (char *)arguments + members[i].offset;
    return NULL; /* help and version */
}

/* The row of a name that the table has. */
static int row_of(const char *name)
{
    const mtcnn_setting *settings = mtcnn_settings(NULL);
    int row = 0;
    while (strcmp(settings[row].name, name))
        row++;
    return row;
}

/* ---- one option ------------------------------------------------------------------------------ */

/* Checks an option's value, and stores it if the option is the program's own. */
static int take(struct arguments *arguments, int index, const char *text)
{
    const mtcnn_setting *setting = &mtcnn_settings(NULL)[index];
    mtcnn_options detector;
    mtcnn_tracker_options tracker;
    void *values = setting->owner == MTCNN_OF_DETECTOR  ? (void *)&detector
                   : setting->owner == MTCNN_OF_TRACKER ? (void *)&tracker
                                                        : member_of(arguments, setting);
    arguments->given[index] = text ? text : "";
    return mtcnn_setting_parse(setting, text, values, NULL);
}

/* Reports a long option that is none, or stands for several. */
static void refuse_unknown(const char *word)
{
    char names[1024] = "", nearest[64];
    int count;
    const mtcnn_setting *settings = mtcnn_settings(&count);
    for (int i = 0; i < count; i++) {
        const size_t used = strlen(names);
        if (settings[i].option)
            snprintf(names + used, sizeof names - used, " %s", settings[i].option);
    }
    char name[64];
    struct message message;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word + 2, "="), word + 2);
    if (mtcnn_nearest(name, names, nearest, sizeof nearest))
        message_set(&message, "no such option, or short for several; did you mean --%s?" TRY_HELP,
                    nearest);
    else
        message_set(&message, "no such option, or short for several" TRY_HELP);
    message_print(word, message.text);
}

/* Reports what is wrong with an option that getopt_long refused. */
static void refuse(int reason, const char *word)
{
    char subject[64];
    struct message message;
    if (optopt >= FIRST_ROW) {
        const mtcnn_setting *setting = &mtcnn_settings(NULL)[optopt - FIRST_ROW];
        char rule[160];
        mtcnn_setting_rule(setting, rule, sizeof rule);
        if (reason == ':')
            message_set(&message, "needs %s" TRY_HELP, rule);
        else
            message_set(&message, "takes no value" TRY_HELP);
        snprintf(subject, sizeof subject, "--%s", setting->option);
        message_print(subject, message.text);
    } else if (optopt) {
        snprintf(subject, sizeof subject, "-%c", optopt);
        message_print(subject, "no such option" TRY_HELP);
    } else {
        refuse_unknown(word);
    }
}

static void refuse_value(const mtcnn_setting *setting, const char *value)
{
    struct message message;
    char subject[128], rule[160];
    mtcnn_setting_rule(setting, rule, sizeof rule);
    snprintf(subject, sizeof subject, "--%s %s", setting->option, *value ? value : "''");
    message_set(&message, "must be %s" TRY_HELP, rule);
    message_print(subject, message.text);
}

/* ---- combinations ---------------------------------------------------------------------------- */

/* Whether an option cannot stand beside the others, with the reason. */
static bool is_misplaced(const struct arguments *arguments, const mtcnn_setting *setting,
                         bool video, struct message *message)
{
    const mtcnn_setting *settings = mtcnn_settings(NULL);
    if (setting->excludes && arguments->given[row_of(setting->excludes)])
        message_set(message, "cannot go with --%s" TRY_HELP,
                    settings[row_of(setting->excludes)].option);
    else if (setting->needs && !arguments->given[row_of(setting->needs)])
        message_set(message, "needs --%s" TRY_HELP, settings[row_of(setting->needs)].option);
    else if (setting->flags & MTCNN_OF_PICTURES && video)
        message_set(message, "is for pictures, not for videos" TRY_HELP);
    else if (setting->flags & MTCNN_OF_VIDEOS && !video)
        message_set(message,
                    "is for videos: it needs the verb video, --video or --camera" TRY_HELP);
    else
        return false;
    return true;
}

/* Reports options that cannot be combined. */
static int check_together(const struct arguments *arguments)
{
    const char *source = arguments->video ? "--video" : arguments->camera >= 0 ? "--camera" : NULL;
    int count;
    const mtcnn_setting *settings = mtcnn_settings(&count);
    for (int i = 0; i < count; i++) {
        struct message message;
        char subject[64];
        if (!arguments->given[i] || !is_misplaced(arguments, &settings[i], source, &message))
            continue;
        snprintf(subject, sizeof subject, "--%s", settings[i].option);
        message_print(subject, message.text);
        return -1;
    }
    if (source && arguments->word_count)
        message_print(source, "cannot go with pictures" TRY_HELP);
    else if (!source && !arguments->word_count)
        message_print(NULL, "no picture named" TRY_HELP);
    else if (arguments->crops && (arguments->stage == 0 || arguments->stage == 1))
        message_print("--crops", "needs landmarks, which --stage pnet and rnet do not give");
    else if (arguments->reconnect > 0 && arguments->video && !strstr(arguments->video, "://"))
        message_print("--reconnect", "is for streams and cameras, not for files");
    else
        return 0;
    return -1;
}

/* ---- the command line ------------------------------------------------------------------------ */

/* What `mtcnn video SOURCE` names: a camera by its number, else a file, URL or standard input. */
static int take_source(struct arguments *arguments)
{
    if (arguments->video || arguments->camera >= 0)
        return 0;
    if (arguments->word_count != 1) {
        message_print(NULL, "video: one file, URL or number of a camera is needed" TRY_HELP);
        return -1;
    }
    const char *word = arguments->words[0];
    arguments->word_count = 0;
    const size_t digits = strspn(word, "0123456789");
    if (!digits || word[digits]) {
        arguments->video = word;
        return 0;
    }
    const int row = row_of("camera");
    if (!take(arguments, row, word))
        return 0;
    refuse_value(&mtcnn_settings(NULL)[row], word);
    return -1;
}

/* The program's own defaults; every other member is as for an empty command line. */
static void set_defaults(struct arguments *arguments)
{
    *arguments = (struct arguments){.stage = -1, .camera = -1};
    int count;
    const mtcnn_setting *settings = mtcnn_settings(&count);
    for (int i = 0; i < count; i++)
        if (settings[i].owner == MTCNN_OF_PROGRAM && settings[i].fallback)
            mtcnn_setting_parse(&settings[i], settings[i].fallback,
                                member_of(arguments, &settings[i]), NULL);
}

static enum arguments_wish read_options(struct arguments *arguments, int argc, char **argv)
{
    int count, used = 0;
    const mtcnn_setting *settings = mtcnn_settings(&count);
    struct option options[MTCNN_MAX_SETTINGS + 1] = {0};
    for (int i = 0; i < count; i++)
        if (settings[i].option)
            options[used++] = (struct option){.name = settings[i].option,
                                              .has_arg = settings[i].argument ? required_argument
                                                                              : no_argument,
                                              .val = FIRST_ROW + i};
    opterr = 0; /* we report errors ourselves */
    for (int found; (found = getopt_long(argc, argv, ":h", options, NULL)) != -1;) {
        if (found == '?' || found == ':') {
            refuse(found, argv[optind - 1]);
            return WISH_NOTHING;
        }
        if (found == 'h')
            return WISH_HELP;
        const mtcnn_setting *setting = &settings[found - FIRST_ROW];
        if (!strcmp(setting->name, "help"))
            return WISH_HELP;
        if (!strcmp(setting->name, "version"))
            return WISH_VERSION;
        if (take(arguments, found - FIRST_ROW, optarg)) {
            refuse_value(setting, optarg);
            return WISH_NOTHING;
        }
    }
    arguments->words = argv + optind;
    arguments->word_count = argc - optind;
    return WISH_DETECT;
}

enum arguments_wish arguments_read(struct arguments *arguments, int argc, char **argv)
{
    set_defaults(arguments);
    if (argc < 2) {
        fputs("usage: mtcnn [detect|video] [OPTION...] INPUT...; try mtcnn --help\n", stderr);
        return WISH_NOTHING;
    }
    const bool video = !strcmp(argv[1], "video"), verb = video || !strcmp(argv[1], "detect");
    const enum arguments_wish wish = read_options(arguments, argc - verb, argv + verb);
    if (wish != WISH_DETECT)
        return wish;
    if ((video && take_source(arguments)) || check_together(arguments))
        return WISH_NOTHING;
    arguments->format = arguments->json  ? MTCNN_FORM_JSON
                        : arguments->csv ? MTCNN_FORM_CSV
                                         : MTCNN_FORM_TEXT;
    mtcnn_options detector = {.threads = 1};
    mtcnn_tracker_options tracker;
    mtcnn_tracker_defaults(&tracker);
    arguments_apply(arguments, MTCNN_OF_DETECTOR, &detector);
    arguments_apply(arguments, MTCNN_OF_TRACKER, &tracker);
    arguments->threads = detector.threads;
    arguments->every = arguments->given[row_of("every")] || arguments->track ? tracker.every : 1;
    return WISH_DETECT;
}

void arguments_apply(const struct arguments *arguments, mtcnn_setting_owner owner, void *values)
{
    int count;
    const mtcnn_setting *settings = mtcnn_settings(&count);
    for (int i = 0; i < count; i++)
        if (settings[i].owner == owner && arguments->given[i])
            mtcnn_setting_parse(&settings[i], settings[i].argument ? arguments->given[i] : NULL,
                                values, NULL);
}
