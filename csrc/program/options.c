#include "options.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crops.h"
#include "picture.h"

#define MAX_CAMERA 255          /* as many as Linux has */
#define MAX_TIMEOUT 1000000     /* seconds */
#define MOST_MEGAPIXELS 1000000 /* MTCNN_MAX_SIDE squared */

#define STRING(value) #value
#define STRING_OF(macro) STRING(macro)

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

static bool read_jobs(struct arguments *arguments, const char *value)
{
    return read_integer(value, 1, MTCNN_MAX_THREADS, &arguments->jobs);
}

static bool read_max_side(struct arguments *arguments, const char *value)
{
    return read_integer(value, 1, MTCNN_MAX_SIDE, &arguments->max_side);
}

static bool read_max_pixels(struct arguments *arguments, const char *value)
{
    double *limit = &arguments->max_pixels;
    return read_number(value, limit) && *limit > 0 && *limit <= MOST_MEGAPIXELS;
}

/* The place of value among names[count]; false where it is none of them. */
static bool read_name(const char *value, const char *const *names, int count, int *index)
{
    for (*index = 0; *index < count; ++*index)
        if (!strcmp(value, names[*index]))
            return true;
    return false;
}

static bool read_nms(struct arguments *arguments, const char *value)
{
    static const char *const names[] = {"hard", "soft"}; /* mtcnn_final_nms */
    int index;
    const bool good = read_name(value, names, 2, &index);
    if (good)
        arguments->final_nms = (mtcnn_final_nms)index;
    return good;
}

static bool read_stage(struct arguments *arguments, const char *value)
{
    return read_name(value, output_stage_names, 3, &arguments->stage);
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
    bool alone = arguments->format != MTCNN_FORM_CSV;
    arguments->format = MTCNN_FORM_JSON;
    return alone;
}

static bool read_csv(struct arguments *arguments, const char *value)
{
    (void)value;
    bool alone = arguments->format != MTCNN_FORM_JSON;
    arguments->format = MTCNN_FORM_CSV;
    return alone;
}

static bool read_out(struct arguments *arguments, const char *value)
{
    arguments->out = value;
    return *value;
}

static bool read_crops(struct arguments *arguments, const char *value)
{
    arguments->crops = value;
    return *value;
}

static bool read_crop_size(struct arguments *arguments, const char *value)
{
    return read_integer(value, 1, MTCNN_MAX_CROP, &arguments->crop_size);
}

static bool read_wider(struct arguments *arguments, const char *value)
{
    arguments->wider = value;
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

const struct option_row option_rows[] = {
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
    {.name = "nms",
     .argument = "FORM",
     .takes = "hard or soft",
     .help =
         "what becomes of faces that overlap: hard drops the lesser one; soft lowers its "
         "score, which with low thresholds keeps more faces that hide each other, and more false "
         "ones",
     .fallback = "hard",
     .read = read_nms},
    {.name = "stage",
     .argument = "NAME",
     .takes = "pnet, rnet or onet",
     .help = "give what this network proposes, in place of the faces: boxes and scores, with onet "
             "landmarks, too; boxes are never clipped",
     .fallback = "the faces",
     .read = read_stage},
    {.name = "no-clip",
     .help = "let boxes stick out of the picture",
     .fallback = "boxes are clipped to it",
     .read = read_no_clip},
    {.group = "Speed and limits",
     .name = "threads",
     .argument = "N",
     .takes = "a whole number, 1 to " STRING_OF(MTCNN_MAX_THREADS),
     .help = "threads that work on a picture; the faces do not depend on it",
     .fallback = "1",
     .read = read_threads},
    {.name = "jobs",
     .argument = "N",
     .takes = "a whole number, 1 to " STRING_OF(MTCNN_MAX_THREADS),
     .help = "pictures in work at a time, which is faster for many pictures than as many threads; "
             "the output does not depend on it",
     .fallback = "1",
     .read = read_jobs},
    {.name = "max-side",
     .argument = "PX",
     .takes = "a whole number of pixels, 1 to " STRING_OF(MTCNN_MAX_SIDE),
     .help = "look at a picture whose longer side exceeds this as if it were scaled down to it: "
             "faces smaller than --min-face are then not found in it, and time stays bounded; "
             "results are in the picture's own pixels",
     .fallback = "pictures as they are",
     .read = read_max_side},
    {.name = "max-pixels",
     .argument = "MP",
     .takes = "a number of megapixels, above 0, to " STRING_OF(MOST_MEGAPIXELS),
     .help = "refuse larger pictures, by what their header says",
     .fallback = STRING_OF(PICTURE_MAX_MEGAPIXELS),
     .read = read_max_pixels},
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
    {.name = "time",
     .help = "also tell milliseconds and candidates of each stage, on stderr (with --json, in the "
             "object); of a video the time that decoding, search and writing took",
     .read = read_time},
    {.group = "Files",
     .name = "out",
     .argument = "PATH",
     .takes =
         "the path of a .jpg, .jpeg or .png file, or of a folder; with a video of a .mp4, .mkv "
         "or .avi file",
     .help = "save the picture with boxes, scores and landmarks; with several pictures, or when "
             "PATH is a folder or ends in /, each under its own name in the folder PATH, which is "
             "made if missing; pictures of a folder keep their places below it; of a video all "
             "frames, as one file",
     .fallback = "not saved",
     .read = read_out},
    {.name = "crops",
     .argument = "DIR",
     .takes = "the path of a folder",
     .help = "save each face, turned and scaled to ArcFace's five points, as NAME_0.png, "
             "NAME_1.png, ..., best first; folders as with --out",
     .fallback = "not saved",
     .read = read_crops},
    {.name = "crop-size",
     .argument = "PX",
     .takes = "a whole number of pixels, 1 to " STRING_OF(MTCNN_MAX_CROP),
     .help = "side of the crops",
     .fallback = STRING_OF(CROPS_SIDE),
     .read = read_crop_size},
    {.name = "wider",
     .argument = "DIR",
     .takes = "the path of a folder",
     .help =
         "save what was found in WIDER FACE's form for evaluation, as DIR/EVENT/NAME.txt; EVENT "
         "is the name of the folder in which the picture lies",
     .fallback = "not saved",
     .read = read_wider},
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
     .fallback = STRING_OF(VIDEO_TIMEOUT),
     .read = read_timeout},
    {.group = "Other", .name = "help", .help = "print this help", .wish = WISH_HELP},
    {.name = "version", .help = "print the version", .wish = WISH_VERSION},
};
const int option_count = sizeof option_rows / sizeof *option_rows;
_Static_assert(sizeof option_rows / sizeof *option_rows <= OPTION_MOST, "raise OPTION_MOST");
