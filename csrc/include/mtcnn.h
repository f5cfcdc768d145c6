/*
 * mtcnn.h: face detection with MTCNN (Zhang et al. 2016) on a CPU.
 *
 * The whole public interface of libmtcnn. It compiles alone, as C99 or later and as C++.
 *
 *     mtcnn_model *model = NULL;
 *     mtcnn_detector *detector = NULL;
 *     mtcnn_error error;
 *     if (mtcnn_model_load(&model, "model.data", &error) ||
 *         mtcnn_detector_create(&detector, model, NULL, &error)) {
 *         fprintf(stderr, "%s\n", error.message);
 *     } else {
 *         mtcnn_image image = {pixels, width, height, 3 * width, MTCNN_RGB};
 *         mtcnn_result result;
 *         if (mtcnn_detect(detector, &image, &result, &error) == MTCNN_OK)
 *             for (int i = 0; i < result.count; i++)
 *                 printf("%.1f %.1f\n", result.faces[i].box[0], result.faces[i].box[1]);
 *     }
 *     mtcnn_detector_free(&detector);
 *     mtcnn_model_free(&model);
 *
 * Contracts that hold for every function here:
 *
 * - Coordinates are continuous pixels of the given image: the origin is the top left corner of the
 *   top left pixel, x grows to the right, y down. A box is x1, y1, x2, y2; its width is x2 - x1.
 * - Landmarks are left eye, right eye, nose, left mouth corner, right mouth corner, as seen in the
 *   picture, each x, y.
 * - Functions that can fail return MTCNN_OK (0) or a negative mtcnn_status, and write a sentence
 *   that names the file, the cause and the remedy into *error, where error is not NULL.
 * - Nothing here prints, exits or aborts.
 * - The inner loops are chosen for the processor when a model or a network is loaded, which keep
 *   them; mtcnn_crop and mtcnn_align, which load nothing, choose at each call. The environment
 *   variable MTCNN_CPU names others: c, sse2, avx2, avx512 or neon; any other name, or one that the
 *   processor cannot run, is MTCNN_ERROR_ARGUMENT.
 * - A model is read-only once loaded; any number of threads may share it. A detector is used by
 *   one thread at a time; any number of detectors run side by side.
 * - After a fork the child may use and free all that its parent had, whatever the parent's threads
 *   were doing. A detector starts its threads anew at the child's first detection. Of a detection
 *   that another thread was in, nothing is left but the memory, which stays lost in the child; a
 *   tracker in a frame begins again, with new ids.
 *
 * Versions: until 1.0 a new MINOR version may change structs and functions, so the soname has it
 * (libmtcnn.so.0.2), and programs are compiled again; from 1.0 on only a new MAJOR version does. A
 * new PATCH version changes neither. Programs that load the library by its name compare
 * mtcnn_version() with the macros before anything else.
 */
#ifndef MTCNN_H
#define MTCNN_H

#include <stddef.h>
#include <stdint.h>

/* The version of this header: the project's one definition, which all its builds read from here. */
#define MTCNN_VERSION_MAJOR 0
#define MTCNN_VERSION_MINOR 2
#define MTCNN_VERSION_PATCH 0

#ifndef MTCNN_API
#if defined(__GNUC__) && !defined(_WIN32)
#define MTCNN_API __attribute__((visibility("default")))
#else
#define MTCNN_API
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- errors ---------------------------------------------------------------------------------- */

typedef enum mtcnn_status {
    MTCNN_OK = 0,
    MTCNN_ERROR_ARGUMENT = -1, /* an argument or option outside its range */
    MTCNN_ERROR_MEMORY = -2,   /* memory ran out */
    MTCNN_ERROR_FILE = -3,     /* a file, or OpenBLAS, is missing or cannot be read */
    MTCNN_ERROR_CFG = -4,      /* a .data or .cfg file that makes no sense */
    MTCNN_ERROR_WEIGHTS = -5,  /* a .weights file that does not fit its .cfg */
    MTCNN_ERROR_MODEL = -6     /* three networks that do not make a cascade, or no built-in model */
} mtcnn_status;

/* Filled by the caller's own choice: pass NULL where the code alone is enough. */
typedef struct mtcnn_error {
    char message[512]; /* one sentence, no newline, always terminated; empty after MTCNN_OK */
} mtcnn_error;

/* The meaning of a code in a few words: a constant string, never NULL. */
MTCNN_API const char *mtcnn_strerror(int status);

/* The version of the library that runs, "major.minor.patch": a constant string. */
MTCNN_API const char *mtcnn_version(void);

/* ---- models ---------------------------------------------------------------------------------- */

/* Three networks and the settings of their cascade, read-only. */
typedef struct mtcnn_model mtcnn_model;

/*
 * How ONet's faces that overlap by more than nms[3] are suppressed. Hard: the lesser one is
 * dropped. Soft (the linear form of Bodla et al. 2017): its score is multiplied by 1 - overlap, and
 * it is kept if that still passes the threshold, which only low ones let happen; so faces that hide
 * each other stay, and so do more false ones.
 */
typedef enum mtcnn_final_nms { MTCNN_NMS_HARD = 0, MTCNN_NMS_SOFT = 1 } mtcnn_final_nms;

/*
 * Settings of a detection. mtcnn_model_options gives the model's own; change what you like.
 *
 * Later settings take the place of reserved, where zero means that nothing changes. So the struct
 * keeps its size and callers have nothing to fill in, which a member with the size would need even
 * before mtcnn_model_options. Not zero is MTCNN_ERROR_ARGUMENT: a setting that is not known here.
 */
typedef struct mtcnn_options {
    double min_face;     /* side of the smallest face looked for, in pixels of the image; >= 1 */
    double scale_factor; /* ratio of the pyramid's neighbouring levels; inside (0, 1) */
    float thresholds[3]; /* least probability after PNet, RNet, ONet; each 0..1 */
    /* Largest overlap that non-maximum suppression keeps, each 0..1: within a level, between
       levels, after RNet (all three intersection over union), after ONet (intersection over the
       smaller box). */
    float nms[4];
    /* Most boxes that PNet, RNet, ONet hand on, best first; each 1..MTCNN_MAX_BOXES. They bound
       memory and time: PNet keeps no more cells of a level, either, before non-maximum suppression.
     */
    int max_boxes[3];
    int clip;    /* 1: clip the faces' boxes to the image; 0: boxes may stick out */
    int threads; /* threads to use, 1..MTCNN_MAX_THREADS; results do not depend on it */
    /* Pixels, 1..MTCNN_MAX_SIDE, or 0: none. A picture whose longer side exceeds it is looked at as
       if it were scaled down to it: min_face then counts in the scaled one, so that time stays
       bounded. Faces are in the picture's pixels. */
    int max_side;
    mtcnn_final_nms final_nms;
    /* How far PNet's windows reach out of the picture on each side, as a share of their own side;
       in [0, 0.5). Faces that fill the picture, or that its edge cuts, are found so; they may be up
       to 1 / (1 - 2 * border) times as large as its shorter side. */
    double border;
    uint64_t reserved[7]; /* zero */
} mtcnn_options;

#define MTCNN_MAX_SIDE 1000000
#define MTCNN_MAX_THREADS 256
#define MTCNN_MAX_BOXES 1000000

/*
 * Loads the cascade that the .data file at path describes, or, with path NULL, the model that was
 * compiled into the library (MTCNN_ERROR_MODEL where there is none).
 *
 * On success *model is the caller's, to be freed with mtcnn_model_free after the last detector that
 * uses it. On failure *model is NULL.
 */
MTCNN_API int mtcnn_model_load(mtcnn_model **model, const char *path, mtcnn_error *error);

/* Frees *model and sets it to NULL. NULL and a pointer to NULL are fine. */
MTCNN_API void mtcnn_model_free(mtcnn_model **model);

/* 1 where a model is compiled into the library, else 0. */
MTCNN_API int mtcnn_has_builtin_model(void);

/*
 * What is odd in the model's .cfg files, though they were read: keys that no reader of such files
 * knows, which are probably mistyped. A line each, with a line feed, of the form "FILE:LINE: ...";
 * "" where there is nothing. It holds as long as the model.
 */
MTCNN_API const char *mtcnn_model_warnings(const mtcnn_model *model);

/* The model's own settings, as its .data file gives them; the others as mtcnn_settings has them. */
MTCNN_API void mtcnn_model_options(const mtcnn_model *model, mtcnn_options *options);

/* ---- detection ------------------------------------------------------------------------------- */

typedef struct mtcnn_detector mtcnn_detector;

/*
 * Makes a detector for one thread. options NULL: the model's own. They are checked here, once.
 *
 * The model must outlive the detector. Networks of an unusual form take their matrix products from
 * OpenBLAS, which the first of them loads, on the detector's own threads: they set OpenBLAS itself
 * to one thread in this process.
 *
 * On success *detector is the caller's, to be freed with mtcnn_detector_free. On failure it is
 * NULL.
 */
MTCNN_API int mtcnn_detector_create(mtcnn_detector **detector, const mtcnn_model *model,
                                    const mtcnn_options *options, mtcnn_error *error);

/* Frees *detector with all its results and sets it to NULL. NULL and a pointer to NULL are fine. */
MTCNN_API void mtcnn_detector_free(mtcnn_detector **detector);

typedef enum mtcnn_color {
    MTCNN_RGB = 0,
    MTCNN_BGR = 1,
    MTCNN_GRAY = 2,
    MTCNN_RGBA = 3, /* alpha is ignored */
    MTCNN_BGRA = 4  /* alpha is ignored */
} mtcnn_color;

/* An 8-bit interleaved picture, the caller's; only read. */
typedef struct mtcnn_image {
    const uint8_t *pixels; /* first byte of the top row */
    int width;             /* pixels, 1..MTCNN_MAX_SIDE */
    int height;            /* pixels, 1..MTCNN_MAX_SIDE */
    ptrdiff_t stride;      /* bytes from one row to the next; negative for bottom-up pictures */
    mtcnn_color color;     /* order of the bytes of a pixel */
} mtcnn_image;

typedef struct mtcnn_face {
    float box[4];        /* x1, y1, x2, y2 */
    float score;         /* the stage's probability, 0..1 */
    float landmarks[10]; /* x, y of the five points; all zero after PNet and RNet */
} mtcnn_face;

/* What one network did with one picture. */
typedef struct mtcnn_stage {
    int inputs;              /* PNet: cells of its output over all levels; RNet, ONet: crops */
    int count;               /* boxes that passed threshold, suppression and max_boxes */
    const mtcnn_face *faces; /* [count], after box regression, best first, never clipped */
    double milliseconds;     /* wall time, crops included */
} mtcnn_stage;

/* All arrays belong to the detector and hold until its next mtcnn_detect or its end. */
typedef struct mtcnn_result {
    int count;               /* faces found; 0 is a result, not an error */
    const mtcnn_face *faces; /* [count], best first, ties in the order of the stage before */
    int levels;              /* levels of the image pyramid */
    double pyramid_ms;       /* wall time of building the pyramid, milliseconds */
    double total_ms;         /* wall time of the whole call, milliseconds */
    mtcnn_stage stages[3];   /* PNet, RNet, ONet */
} mtcnn_result;

/*
 * Finds the faces of one picture. An image smaller than min_face has none.
 *
 * Fills *result on success; on failure *result is all zero and the detector can be used again.
 * Results are the same, bit for bit, whatever pictures came before and however many threads work.
 */
MTCNN_API int mtcnn_detect(mtcnn_detector *detector, const mtcnn_image *image, mtcnn_result *result,
                           mtcnn_error *error);

/* Bytes of scratch memory that the detector holds now: the most that any picture so far needed. */
MTCNN_API size_t mtcnn_detector_memory(const mtcnn_detector *detector);

/* ---- tracking -------------------------------------------------------------------------------- */

/*
 * Follows faces through the frames of a video. A full scan (mtcnn_detect) finds faces now and then;
 * in the frames between, RNet and ONet alone look again where the faces were, which takes a small
 * part of the time. Each face keeps an id, and its box and landmarks are smoothed over time.
 */
typedef struct mtcnn_tracker mtcnn_tracker;

/*
 * Settings of a tracker. mtcnn_tracker_defaults gives the usual ones; change what you like.
 * reserved is as in mtcnn_options.
 */
typedef struct mtcnn_tracker_options {
    /* Frames from one full scan to the next, 1..MTCNN_MAX_FRAMES; default 10. While no face is
       tracked, and where all are missed at once, each frame is scanned. 1: the scans alone decide,
       nothing is looked at again. */
    int every;
    /* A face is given up, with its id, once it was missed in more than so many frames in a row,
       0..MTCNN_MAX_FRAMES; default 10. */
    int lost;
    /* Least score of a face that gets an id, 0..1; default 0.6. It keeps the id down to the
       detector's own thresholds. */
    float min_score;
    /* Time constant of the smoothing of a face that rests, seconds, 0..MTCNN_MAX_SMOOTHING; default
       0.15; 0: no smoothing. */
    double smoothing;
    /* How much less a face that moves is smoothed, >= 0: for each of its sides a second that it
       moves, so much (Hz) is added to the cut-off frequency; default 20. These are the two
       parameters of the One Euro filter, whose least cut-off is 1 / (2 pi smoothing). */
    double beta;
    uint64_t reserved[8]; /* zero */
} mtcnn_tracker_options;

#define MTCNN_MAX_FRAMES 1000000
#define MTCNN_MAX_SMOOTHING 60

MTCNN_API void mtcnn_tracker_defaults(mtcnn_tracker_options *options);

/*
 * Makes a tracker for one video. options NULL: the defaults.
 *
 * The detector must outlive the tracker, and what holds for it holds for the two together: one
 * thread at a time. It may detect other pictures between frames. On success *tracker is the
 * caller's, to be freed with mtcnn_tracker_free. On failure it is NULL.
 */
MTCNN_API int mtcnn_tracker_create(mtcnn_tracker **tracker, mtcnn_detector *detector,
                                   const mtcnn_tracker_options *options, mtcnn_error *error);

/* Frees *tracker with its results and sets it to NULL. NULL and a pointer to NULL are fine. */
MTCNN_API void mtcnn_tracker_free(mtcnn_tracker **tracker);

typedef struct mtcnn_tracked_face {
    mtcnn_face face; /* box and landmarks smoothed; score: this frame's */
    uint32_t id;     /* 1, 2, ... in the order in which faces come; never given to another one */
    uint32_t age;    /* frames since the face was found first; 0 in that one */
} mtcnn_tracked_face;

/* All arrays belong to the tracker and hold until its next mtcnn_track or its end. */
typedef struct mtcnn_tracks {
    int count;                       /* faces seen in this frame; 0 is a result, not an error */
    const mtcnn_tracked_face *faces; /* [count], by rising id */
    int scanned;                     /* 1: the frame had a full scan; 0: it had none */
    double total_ms;                 /* wall time of the whole call, milliseconds */
} mtcnn_tracks;

/*
 * The next frame of the video, and the time at which it is shown, in seconds: any finite number
 * larger than that of the frame before. Frames may be left out. At a cut, where the colours of a
 * quarter of the frame change at once, and where the size of the frames changes, all faces get new
 * ids.
 *
 * Fills *tracks on success; on failure *tracks is all zero, and the tracker can go on with the next
 * frame. Results do not depend on the number of threads, nor on the machine's speed.
 */
MTCNN_API int mtcnn_track(mtcnn_tracker *tracker, const mtcnn_image *image, double seconds,
                          mtcnn_tracks *tracks, mtcnn_error *error);

/* ---- output ---------------------------------------------------------------------------------- */

/*
 * What was found in a picture, or in a frame of a video, for mtcnn_format and mtcnn_draw. Set it to
 * zero, then what applies: source, width, height and result are enough for a picture.
 */
typedef struct mtcnn_findings {
    const char *source; /* the picture's path; the video's path, URL or camera. Any bytes */
    int is_frame;       /* 1: it is a frame of a video, with a number and a time; 0: a picture */
    int64_t frame;      /* 0, 1, ... */
    double seconds;     /* when the frame is shown */
    int width, height;  /* of the picture or frame, pixels */
    const mtcnn_result *result; /* of mtcnn_detect; NULL: faces are tracked */
    int stage;                  /* 0: the result's own faces; 1, 2, 3: PNet's, RNet's, ONet's */
    const mtcnn_tracks *tracks; /* of mtcnn_track; NULL: faces are not tracked */
    int timed;                  /* 1: JSON has the times, too */
} mtcnn_findings;

typedef enum mtcnn_form {
    /* A line for each face: source, frame, seconds and id, as far as there are such, each with a
       tab; box, score and landmarks, with blanks between. */
    MTCNN_FORM_TEXT = 0,
    /* An object on one line (RFC 8259; numbers that are not finite, which no detection has, are
       written as nan and inf). Bytes of source that are not UTF-8 become text like \xff; in a
       source with such bytes, or with the text \x, each backslash is doubled. */
    MTCNN_FORM_JSON = 1,
    /* A row for each face (RFC 4180, with LF for line ends). */
    MTCNN_FORM_CSV = 2,
    /* As the evaluation of WIDER FACE reads it: source, the number of faces, and for each face a
       line "x y width height score". */
    MTCNN_FORM_WIDER = 3,
    /* A table for people: milliseconds and candidates of each stage. */
    MTCNN_FORM_TIMES = 4,
    /* A line for people: source and the number of faces. */
    MTCNN_FORM_SUMMARY = 5
} mtcnn_form;

/* How many faces findings have: of their result, its stage, or their tracks. */
MTCNN_API int mtcnn_findings_count(const mtcnn_findings *findings);

/*
 * Writes findings in a form, in the manner of snprintf: at most size bytes into text, the zero at
 * the end included, and into *length the bytes that the whole has without that zero. What does not
 * fit is cut: *length >= size says so. With size 0, text may be NULL; length may be NULL, too.
 *
 * Lines end in LF. Numbers have a decimal point in every locale. In the two forms for people,
 * control characters of source are '?'.
 */
MTCNN_API int mtcnn_format(mtcnn_form form, const mtcnn_findings *findings, char *text, size_t size,
                           size_t *length, mtcnn_error *error);

/* The line before CSV's first row, of frames or of pictures, with ids: a constant string. */
MTCNN_API const char *mtcnn_csv_header(int is_frame, int has_ids);

/*
 * Paints what was found into the picture: each face's box, label and landmarks, the best face on
 * top. Landmarks that are all zero are left out, and so is whatever lies outside the picture. Lines
 * grow with the picture; they are at least 2 pixels wide.
 *
 * pixels: RGB, the first of height rows of width pixels, which are those of findings
 * stride: bytes from one row to the next; negative for bottom-up pictures
 * labels: [faces], what is written at each face: printable ASCII; any other character becomes a
 *         box, an empty text nothing, and what exceeds 256 characters is left out. NULL, or NULL
 *         for a face: its score, with its id where it has one, or nothing where it has no landmarks
 */
MTCNN_API int mtcnn_draw(uint8_t *pixels, ptrdiff_t stride, const mtcnn_findings *findings,
                         const char *const *labels, mtcnn_error *error);

/* ---- settings -------------------------------------------------------------------------------- */

/*
 * The one table of settings: what a detector, a tracker, a .data file and the command lines of
 * ./mtcnn and pymtcnn take. Checks, defaults, readers, help and man page are made from it; a
 * program can read, set and explain settings by their names, as with FFmpeg's AVOption.
 */
typedef enum mtcnn_setting_owner {
    MTCNN_OF_DETECTOR = 0, /* a member of mtcnn_options */
    MTCNN_OF_TRACKER = 1,  /* a member of mtcnn_tracker_options */
    MTCNN_OF_MODEL = 2,    /* of a .data file alone */
    MTCNN_OF_PROGRAM = 3 /* of the command lines alone: the value lies where the caller wants it */
} mtcnn_setting_owner;

typedef enum mtcnn_setting_type {
    MTCNN_DOUBLE = 0,
    MTCNN_FLOAT = 1,
    MTCNN_INT = 2,
    MTCNN_FLAG = 3,   /* int, 0 or 1; on a command line it takes no value */
    MTCNN_CHOICE = 4, /* int: the place of a name in choices */
    MTCNN_TEXT = 5    /* const char *: the caller's text itself, never empty */
} mtcnn_setting_type;

/* Flags of a setting. */
enum {
    MTCNN_ABOVE_LOW = 1,    /* low itself is outside the range */
    MTCNN_BELOW_HIGH = 2,   /* high itself is outside the range */
    MTCNN_NOT_ZERO = 4,     /* 0 is outside the range */
    MTCNN_OR_ZERO = 8,      /* as a member it may also be 0, which turns it off */
    MTCNN_IN_DATA = 16,     /* a key of .data files */
    MTCNN_OF_PICTURES = 32, /* of command lines: goes with pictures alone */
    MTCNN_OF_VIDEOS = 64    /* of command lines: goes with videos alone */
};

/* A row of the table; all strings are constants. */
typedef struct mtcnn_setting {
    const char *name; /* of the member, of the .data file's key, of Python's argument */
    mtcnn_setting_owner owner;
    mtcnn_setting_type type;
    int count;        /* values side by side: a float[3] has 3 */
    size_t offset;    /* of the first value in its struct, bytes; 0 for MTCNN_OF_PROGRAM */
    double low, high; /* range of each number; may be infinite */
    int flags;
    const char *unit;     /* "pixels", ...; of a text, what it has to be; NULL: none */
    const char *choices;  /* names with blanks between them, for the values 0, 1, ...; or NULL */
    const char *fallback; /* the default, as text; NULL: the model's own, or none */
    const char *option; /* on command lines, without the dashes; no-NAME sets 0; NULL: not there */
    const char *needs;  /* name of a setting that has to be given, too; or NULL */
    const char *excludes; /* name of a setting that must not be given; or NULL */
    const char *argument; /* how help names the option's value; NULL: it takes none */
    const char *group;    /* heading of the help under which the option stands */
    const char *help;     /* what the option does */
    const char *without;  /* what help says of the default in place of fallback; or NULL */
} mtcnn_setting;

#define MTCNN_MAX_SETTINGS 64

/*
 * The table, in the order of the help: a constant array of *count (may be NULL) rows, at most
 * MTCNN_MAX_SETTINGS.
 */
MTCNN_API const mtcnn_setting *mtcnn_settings(int *count);

/*
 * Reads a value as .data files and command lines have it ("0.6,0.5,0.7", "soft") and stores it at
 * setting->offset bytes from values, which is the owner's struct, or for MTCNN_OF_PROGRAM the value
 * itself. Numbers are plain decimals, whatever the locale. text NULL is the option of a flag, which
 * sets 1, or 0 where it is no-NAME. MTCNN_ERROR_ARGUMENT, and nothing stored, where text is not as
 * mtcnn_setting_rule says; 0 for "off" is not taken.
 */
MTCNN_API int mtcnn_setting_parse(const mtcnn_setting *setting, const char *text, void *values,
                                  mtcnn_error *error);

/*
 * The two write text for people as snprintf does, and return the length that the whole needs.
 *
 * mtcnn_setting_rule: which values the setting takes: "three numbers, each 0 to 1".
 * mtcnn_setting_help: help (the name where there is none), rule and default; options (NULL:
 * unknown) are the model's own.
 */
MTCNN_API int mtcnn_setting_rule(const mtcnn_setting *setting, char *text, size_t size);
MTCNN_API int mtcnn_setting_help(const mtcnn_setting *setting, const mtcnn_options *options,
                                 char *text, size_t size);

/*
 * What somebody who mistyped a word probably meant, of names with blanks between them: writes it as
 * snprintf does, and returns its length; 0 and "" where none is near.
 */
MTCNN_API int mtcnn_nearest(const char *word, const char *names, char *nearest, size_t size);

/* ---- picture files --------------------------------------------------------------------------- */

#define MTCNN_PICTURE_HEAD 256

/*
 * The kind of picture that a file holds, for messages: "JPEG", "PNG", "WebP", "HEIC", "camera raw",
 * ...; NULL: none that is known. By the file's first bytes [size], of which MTCNN_PICTURE_HEAD are
 * enough (bytes may be NULL where size is 0); where they are those of no picture, by the ending of
 * its name, which may be NULL. A folder gives the files that are of some kind. The library itself
 * reads none.
 */
MTCNN_API const char *mtcnn_picture_kind(const void *bytes, size_t size, const char *name);

/*
 * FFmpeg's names of the formats of videos without time stamps, such as "h264" and "mpjpeg" (cameras
 * that send JPEG pictures over HTTP): what FFmpeg tells as their stamps is made up.
 */
MTCNN_API const char *mtcnn_stampless_formats(void);

/* ---- crops ----------------------------------------------------------------------------------- */

#define MTCNN_MAX_CROP 4096

/*
 * Cuts parts out of a picture and resizes them as the cascade does for RNet and ONet: what training
 * shows to the networks is what detection will show to them.
 *
 * boxes:  [count][4], x1, y1, x2, y2 in pixels; they may reach outside the picture
 * side:   of the crops, pixels, 1..MTCNN_MAX_CROP
 * pad:    0..255, the value of what lies outside the picture
 * pixels: [count][side][side][3], RGB, rounded; filled here
 */
MTCNN_API int mtcnn_crop(const mtcnn_image *image, const float *boxes, size_t count, int side,
                         int pad, uint8_t *pixels, mtcnn_error *error);

/*
 * Cuts aligned faces out of a picture, as recognition networks take them: turned, scaled and moved,
 * never mirrored, so that the landmarks come as close as they can (least squares, Umeyama 1991) to
 * ArcFace's five points. In a crop of 112 x 112, counted from the centre of the first pixel as
 * OpenCV does, these are (38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366),
 * (41.5493, 92.3655), (70.7299, 92.2041); in our coordinates each is 0.5 more. They grow with side.
 *
 * Crops are bilinear; where the face is more than 1.4 times as large as in the crop, in a picture
 * that was first made smaller by the filter of mtcnn_crop (antialiasing).
 *
 * landmarks: [count][10], as in mtcnn_face; they may lie outside the picture. Those that are not
 *            finite, all one point, or have no likeness to a face are MTCNN_ERROR_ARGUMENT
 * side:      of the crops, pixels, 1..MTCNN_MAX_CROP
 * pad:       0..255, the value of what lies outside the picture
 * pixels:    [count][side][side][3], RGB, rounded; filled here. After an error they are unspecified
 *
 * Scratch memory, for the call only: up to about 50 bytes a pixel of a crop, and as many for each
 * column and row of the picture.
 */
MTCNN_API int mtcnn_align(const mtcnn_image *image, const float *landmarks, size_t count, int side,
                          int pad, uint8_t *pixels, mtcnn_error *error);

/* ---- single networks ------------------------------------------------------------------------- */

/* Any network of a Darknet .cfg and .weights: for converters, parity tests and the curious. */
typedef struct mtcnn_network mtcnn_network;

typedef struct mtcnn_shape {
    int channels;
    int height;
    int width;
} mtcnn_shape;

/* Reads cfg and weights (weights NULL: all zero). *network is the caller's; NULL on failure. */
MTCNN_API int mtcnn_network_load(mtcnn_network **network, const char *cfg, const char *weights,
                                 mtcnn_error *error);
MTCNN_API void mtcnn_network_free(mtcnn_network **network);

/* As mtcnn_model_warnings, for this network's cfg. It holds as long as the network. */
MTCNN_API const char *mtcnn_network_warnings(const mtcnn_network *network);

/*
 * The keys that a cfg's section may have, those of Darknet's training included, with blanks between
 * them: a constant string. NULL: there is no such section.
 */
MTCNN_API const char *mtcnn_cfg_keys(const char *section);

/* Number of layers: the sections of the cfg after [net]. */
MTCNN_API int mtcnn_network_layers(const mtcnn_network *network);

/* Number of float32 values that the network's .weights file holds after its header. */
MTCNN_API size_t mtcnn_network_weights(const mtcnn_network *network);

/* The input shape that the cfg's [net] section gives. */
MTCNN_API mtcnn_shape mtcnn_network_input(const mtcnn_network *network);

/*
 * The shape of layer's output (0-based; layers - 1, or -1, is the network's output) for an input of
 * height x width pixels, and the name of its section into *type (may be NULL; a constant string).
 */
MTCNN_API int mtcnn_network_shape(const mtcnn_network *network, int layer, int height, int width,
                                  mtcnn_shape *shape, const char **type, mtcnn_error *error);

/*
 * Runs the network on batch inputs.
 *
 * input:  float32 [batch][channels][height][width], the caller's; only read.
 * height and width: 1..1048576.
 * output: float32 [batch][shape of the last layer], the caller's; length in floats is checked
 *         against what the network makes.
 * Scratch memory lives for the call only.
 */
MTCNN_API int mtcnn_network_run(const mtcnn_network *network, const float *input, int batch,
                                int height, int width, float *output, size_t length,
                                mtcnn_error *error);

#ifdef __cplusplus
}
#endif

#endif /* MTCNN_H */
