#include "arguments.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"

#define HELP_WIDTH 80       /* columns */
#define HELP_INDENT 24      /* columns before an option's explanation */
#define MAX_CAMERA 255      /* as many as Linux has */
#define MAX_TIMEOUT 1000000 /* seconds */
#define DEFAULT_TIMEOUT 10  /* seconds */
#define TRY_HELP "; try mtcnn --help"

/* ---- reading numbers -------------------------------------------------------------------------- */

/* The decimal number that text holds, and nothing else but blanks around it. */
static bool read_number(const char *text, double *value)
{
    if (text[strspn(text, " +-.0123456789eE")])
        return false; /* strtod would also take 0x1p4, inf and nan */
    char *end;
    errno = 0;
    *value = strtod(text, &end);
    return end != text && !end[strspn(end, " ")] && errno != ERANGE && isfinite(*value);
}

static bool read_integer(const char *text, long low, long high, int *value)
{
    if (text[strspn(text, " +-0123456789")])
        return false;
    char *end;
    errno = 0;
    long number = strtol(text, &end, 10);
    *value = (int)number;
    return end != text && !end[strspn(end, " ")] && errno != ERANGE && number >= low &&
           number <= high;
}

/* ---- the options ------------------------------------------------------------------------------ */

/* Each reads its option's value; false where that is not what the option's `takes` says. */

static bool read_model(struct arguments *arguments, const char *value)
{
    arguments->model = value;
    return *value;
}

static bool read_min_face(struct arguments *arguments, const char *value)
{
    return read_number(value, &arguments->min_face) && arguments->min_face >= 1 &&
           arguments->min_face <= MTCNN_MAX_SIDE;
}

/* One of three values with commas between them, and nothing else. */
struct part {
    char text[64]; /* longer ones make no sense */
};

static bool split_three(const char *value, struct part parts[3])
{
    for (int i = 0; i < 3; i++) {
        size_t length = strcspn(value, ",");
        if (length >= sizeof parts[i].text || value[length] != (i < 2 ? ',' : '\0'))
            return false;
        memcpy(parts[i].text, value, length);
        parts[i].text[length] = '\0';
        value += length + 1; /* after the third: never used */
    }
    return true;
}

static bool read_thresholds(struct arguments *arguments, const char *value)
{
    struct part parts[3];
    bool good = split_three(value, parts);
    for (int i = 0; i < 3 && good; i++) {
        double threshold;
        good = read_number(parts[i].text, &threshold) && threshold >= 0 && threshold <= 1;
        if (good)
            arguments->thresholds[i] = (float)threshold;
    }
    return good;
}

static bool read_max_boxes(struct arguments *arguments, const char *value)
{
    struct part parts[3];
    bool good = split_three(value, parts);
    for (int i = 0; i < 3 && good; i++)
        good = read_integer(parts[i].text, 1, MTCNN_MAX_BOXES, &arguments->max_boxes[i]);
    return good;
}

static bool read_scale_factor(struct arguments *arguments, const char *value)
{
    double *factor = &arguments->scale_factor;
    return read_number(value, factor) && *factor > 0 && *factor < 1;
}

static bool read_threads(struct arguments *arguments, const char *value)
{
    return read_integer(value, 1, MTCNN_MAX_THREADS, &arguments->threads);
}

static bool read_no_clip(struct arguments *arguments, const char *value)
{
    (void)value;
    arguments->clip = false;
    return true;
}

static bool read_json(struct arguments *arguments, const char *value)
{
    (void)value;
    bool alone = arguments->format != OUTPUT_CSV;
    arguments->format = OUTPUT_JSON;
    return alone;
}

static bool read_csv(struct arguments *arguments, const char *value)
{
    (void)value;
    bool alone = arguments->format != OUTPUT_JSON;
    arguments->format = OUTPUT_CSV;
    return alone;
}

static bool read_out(struct arguments *arguments, const char *value)
{
    arguments->out = value;
    return *value;
}

static bool read_time(struct arguments *arguments, const char *value)
{
    (void)value;
    arguments->time = true;
    return true;
}

static bool read_video(struct arguments *arguments, const char *value)
{
    arguments->video = value;
    return *value;
}

static bool read_camera(struct arguments *arguments, const char *value)
{
    return read_integer(value, 0, MAX_CAMERA, &arguments->camera);
}

static bool read_every(struct arguments *arguments, const char *value)
{
    return read_integer(value, 1, MTCNN_MAX_FRAMES, &arguments->every);
}

static bool read_track(struct arguments *arguments, const char *value)
{
    (void)value;
    arguments->track = true;
    return true;
}

static bool read_timeout(struct arguments *arguments, const char *value)
{
    double *timeout = &arguments->timeout;
    return read_number(value, timeout) && *timeout > 0 && *timeout <= MAX_TIMEOUT;
}

/* Each prints its option's default, as the model has it. */

static int min_face_default(char *text, size_t size, const mtcnn_options *options)
{
    return snprintf(text, size, "%g", options->min_face);
}

static int thresholds_default(char *text, size_t size, const mtcnn_options *options)
{
    return snprintf(text, size, "%g,%g,%g", (double)options->thresholds[0],
                    (double)options->thresholds[1], (double)options->thresholds[2]);
}

static int scale_factor_default(char *text, size_t size, const mtcnn_options *options)
{
    return snprintf(text, size, "%g", options->scale_factor);
}

static int max_boxes_default(char *text, size_t size, const mtcnn_options *options)
{
    return snprintf(text, size, "%d,%d,%d", options->max_boxes[0], options->max_boxes[1],
                    options->max_boxes[2]);
}

#define STRING(value) #value
#define STRING_OF(macro) STRING(macro)

/* The one list of options: getopt, the error messages and the help are made from it. */
static const struct option_row {
    const char *group; /* heading of the help that this option begins, or NULL */
    const char *name;
    const char *argument; /* NULL: takes none */
    const char *takes;    /* the values allowed, with the unit; or why the option was refused */
    const char *help;
    const char *fallback; /* the default; NULL where there is none, or the model has it */
    int (*model_default)(char *text, size_t size, const mtcnn_options *options);
    bool (*read)(struct arguments *arguments, const char *value);
    enum arguments_wish wish;
} rows[] = {
    {.group = "Detection",
     .name = "model",
     .argument = "FILE.data",
     .takes = "the path of a .data file",
     .help = "the networks and their settings",
     .fallback = "the first there is of: the file that the environment variable MTCNN_MODEL names, "
                 "the model built in, darknet_cfg/default.data and ../share/mtcnn/default.data "
                 "beside the program",
     .read = read_model},
    {.name = "min-face",
     .argument = "PX",
     .takes = "a number of pixels, 1 to " STRING_OF(MTCNN_MAX_SIDE),
     .help = "side of the smallest face looked for",
     .model_default = min_face_default,
     .read = read_min_face},
    {.name = "thresholds",
     .argument = "P,R,O",
     .takes = "three numbers, each 0 to 1",
     .help = "least probability of a face after PNet, RNet and ONet",
     .model_default = thresholds_default,
     .read = read_thresholds},
    {.name = "scale-factor",
     .argument = "F",
     .takes = "a number above 0 and below 1",
     .help = "ratio of the image pyramid's neighbouring levels",
     .model_default = scale_factor_default,
     .read = read_scale_factor},
    {.name = "max-boxes",
     .argument = "P,R,O",
     .takes = "three whole numbers, each 1 to " STRING_OF(MTCNN_MAX_BOXES),
     .help = "most boxes that PNet, RNet and ONet hand on, the best ones: bounds memory and time",
     .model_default = max_boxes_default,
     .read = read_max_boxes},
    {.name = "threads",
     .argument = "N",
     .takes = "a whole number, 1 to " STRING_OF(MTCNN_MAX_THREADS),
     .help = "threads to use; the faces do not depend on it",
     .fallback = "1",
     .read = read_threads},
    {.name = "no-clip",
     .help = "let boxes stick out of the picture",
     .fallback = "boxes are clipped to it",
     .read = read_no_clip},
    {.group = "Output",
     .name = "json",
     .takes = "cannot go with --csv",
     .help = "one JSON object a line for each picture or frame",
     .fallback = "text",
     .read = read_json},
    {.name = "csv",
     .takes = "cannot go with --json",
     .help = "comma-separated values with a header, one line a face",
     .read = read_csv},
    {.name = "out",
     .argument = "PATH",
     .takes =
         "the path of a .jpg, .jpeg or .png file, or of a folder; with a video of a .mp4, .mkv "
         "or .avi file",
     .help = "save the picture with boxes, scores and landmarks; with several pictures, or when "
             "PATH is a folder or ends in /, each under its own name in the folder PATH, which is "
             "made if missing; of a video all frames, as one file",
     .fallback = "not saved",
     .read = read_out},
    {.name = "time",
     .help = "also tell milliseconds and candidates of each stage, on stderr (with --json, in the "
             "object); of a video the time that decoding, search and writing took",
     .read = read_time},
    {.group = "Video",
     .name = "video",
     .argument = "FILE",
     .takes = "the path or URL of a video, or - for standard input",
     .help = "find the faces in the frames of a video file or of a stream such as rtsp://...",
     .read = read_video},
    {.name = "camera",
     .argument = "N",
     .takes = "the number of a camera, 0 to " STRING_OF(MAX_CAMERA),
     .help = "find the faces in what the camera /dev/videoN sees, until Ctrl-C",
     .read = read_camera},
    {.name = "every",
     .argument = "N",
     .takes = "a whole number of frames, 1 to " STRING_OF(MTCNN_MAX_FRAMES),
     .help = "search the whole picture in every N-th frame only; those between are left out or, "
             "with --track, looked at where faces were",
     .fallback = "1, with --track 10",
     .read = read_every},
    {.name = "track",
     .help = "follow faces from frame to frame: each has an id, and its place is smoothed",
     .read = read_track},
    {.name = "timeout",
     .argument = "S",
     .takes = "a number of seconds, above 0 and up to " STRING_OF(MAX_TIMEOUT),
     .help = "seconds to wait for a connection, and for each frame",
     .fallback = STRING_OF(DEFAULT_TIMEOUT),
     .read = read_timeout},
    {.group = "Other", .name = "help", .help = "print this help", .wish = WISH_HELP},
    {.name = "version", .help = "print the version", .wish = WISH_VERSION},
};
#define ROW_COUNT (sizeof rows / sizeof *rows)

/* ---- reading the command line ----------------------------------------------------------------- */

/* Says what is wrong with an option that getopt_long refused. */
static void refuse(int reason, const char *word)
{
    char subject[64];
    if (optopt >= 1 && optopt <= (int)ROW_COUNT) {
        const struct option_row *row = &rows[optopt - 1];
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
    if (arguments->video && arguments->camera >= 0)
        message_print("--camera", "cannot go with --video" TRY_HELP);
    else if (source && arguments->picture_count)
        message_print(source, "cannot go with pictures" TRY_HELP);
    else if (!source && of_video)
        message_print(of_video, "needs --video or --camera" TRY_HELP);
    else if (!source && !arguments->picture_count)
        message_print(NULL, "no picture named" TRY_HELP);
    else
        return 0;
    return -1;
}

enum arguments_wish arguments_read(struct arguments *arguments, int argc, char **argv)
{
    *arguments = (struct arguments){
        .thresholds = {-1, -1, -1}, .threads = 1, .clip = true, .camera = -1};

    struct option options[ROW_COUNT + 1] = {0};
    for (size_t i = 0; i < ROW_COUNT; i++)
        options[i] = (struct option){.name = rows[i].name,
                                     .has_arg = rows[i].argument ? required_argument : no_argument,
                                     .val = (int)i + 1};
    if (argc < 2) {
        fputs("usage: mtcnn [OPTION...] PICTURE...   (mtcnn --help tells more)\n", stderr);
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
        const struct option_row *row = &rows[found - 1];
        if (row->wish)
            return row->wish;
        if (!row->read(arguments, optarg)) {
            refuse_value(row, optarg);
            return WISH_NOTHING;
        }
    }
    arguments->pictures = argv + optind;
    arguments->picture_count = argc - optind;
    if (check_together(arguments))
        return WISH_NOTHING;
    if (!(arguments->timeout > 0))
        arguments->timeout = DEFAULT_TIMEOUT;
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
    options->threads = arguments->threads;
    options->clip = arguments->clip;
}

/* ---- the help --------------------------------------------------------------------------------- */

/* Prints text, wrapped at blanks, from column on; lines but the first begin at HELP_INDENT. */
static void print_wrapped(FILE *stream, const char *text, int column)
{
    for (;;) {
        int word = (int)strcspn(text, " ");
        if (column > HELP_INDENT && column + 1 + word > HELP_WIDTH) {
            fprintf(stream, "\n%*s", HELP_INDENT, "");
            column = HELP_INDENT;
        } else if (column > HELP_INDENT) {
            fputc(' ', stream);
            column++;
        }
        fprintf(stream, "%.*s", word, text);
        column += word;
        if (!text[word])
            break;
        text += word + 1;
    }
    fputc('\n', stream);
}

static void print_option(FILE *stream, const struct option_row *row, const mtcnn_options *options)
{
    int column = fprintf(stream, "  --%s%s%s", row->name, row->argument ? " " : "",
                         row->argument ? row->argument : "");
    fprintf(stream, "%*s", HELP_INDENT - column, "");

    char fallback[64] = "";
    if (row->model_default && options)
        row->model_default(fallback, sizeof fallback, options);
    char text[1024];
    const bool has_default = row->fallback || row->model_default;
    snprintf(text, sizeof text, "%s%s%s%s%s%s%s%s", row->help,
             row->argument || has_default ? " (" : "", row->argument ? row->takes : "",
             row->argument && has_default ? "; " : "", has_default ? "default: " : "",
             row->model_default ? *fallback ? "the model's, " : "the model's" : "",
             row->fallback ? row->fallback : fallback, row->argument || has_default ? ")" : "");
    print_wrapped(stream, text, HELP_INDENT);
}

void arguments_help(FILE *stream, const mtcnn_options *options)
{
    fputs("usage: mtcnn [OPTION...] PICTURE...\n"
          "       mtcnn [OPTION...] --video FILE | --camera N\n\n"
          "Finds faces and their five landmarks in JPEG and PNG pictures, turned upright as\n"
          "their EXIF orientation says. Prints one line a face: the path, a tab, the box as\n"
          "x1 y1 x2 y2, the score, and x y of left eye, right eye, nose, left and right\n"
          "mouth corner, as seen in the picture, in pixels from its top left corner.\n"
          "In videos, the frame's number and its time in seconds, and with --track the\n"
          "face's id, follow the path, each with a tab. Videos, and pictures in WebP, BMP,\n"
          "TIFF and GIF, need FFmpeg's libraries.\n",
          stream);
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (rows[i].group)
            fprintf(stream, "\n%s\n", rows[i].group);
        print_option(stream, &rows[i], options);
    }
    fputs("\n"
          "Exit status: 0 when all pictures were read, with faces or without; 1 when a\n"
          "picture or an output failed (the others are still done); 2 when the command\n"
          "line is wrong; 130 when Ctrl-C ended a video.\n"
          "\n"
          "Examples\n"
          "  mtcnn party.jpg\n"
          "  mtcnn --min-face 40 --threads 4 --out party-faces.jpg party.jpg\n"
          "  mtcnn --json --out faces/ holiday/*.jpg > faces.jsonl\n"
          "  mtcnn --json --track --out party-faces.mp4 --video party.mp4\n",
          stream);
}
