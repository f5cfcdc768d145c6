/* The one table of settings, used by setting_values.c and setting_text.c. */
#include "settings.h"

#include <math.h>

#include "resize.h"

#define OF(OWNER, structure, member) \
    .name = #member, .owner = MTCNN_OF_##OWNER, .offset = offsetof(structure, member)
#define DETECTOR(member) OF(DETECTOR, mtcnn_options, member)
#define TRACKER(member) OF(TRACKER, mtcnn_tracker_options, member)
#define MODEL(member) OF(MODEL, mt_normalisation, member)
#define PROGRAM(called) .name = called, .owner = MTCNN_OF_PROGRAM

#define NUMBERS(kind, most, least, largest) \
    .type = MTCNN_##kind, .count = most, .low = least, .high = largest
#define ANY_NUMBER NUMBERS(FLOAT, 1, -INFINITY, INFINITY)
#define CHOICE(names) .type = MTCNN_CHOICE, .count = 1, .choices = names
#define FLAG .type = MTCNN_FLAG, .count = 1
#define TEXT(what) .type = MTCNN_TEXT, .count = 1, .unit = what

static const mtcnn_setting settings[] = {
    {PROGRAM("model"), TEXT("the path of a .data file"), .group = "Detection", .option = "model",
     .argument = "FILE.data", .help = "the networks and their settings",
     .without = "the first that exists of: the file that the environment variable MTCNN_MODEL "
                "names, the built-in model, and, for ./mtcnn, darknet_cfg/default.data and "
                "../share/mtcnn/default.data next to the program"},
    {DETECTOR(min_face), NUMBERS(DOUBLE, 1, 1, MTCNN_MAX_SIDE), .unit = "pixels",
     .flags = MTCNN_IN_DATA, .group = "Detection", .option = "min-face", .argument = "PX",
     .help = "side of the smallest face to find"},
    {DETECTOR(thresholds), NUMBERS(FLOAT, 3, 0, 1), .flags = MTCNN_IN_DATA, .group = "Detection",
     .option = "thresholds", .argument = "P,R,O",
     .help = "minimum probability of a face after PNet, RNet and ONet"},
    {DETECTOR(scale_factor), NUMBERS(DOUBLE, 1, 0, 1),
     .flags = MTCNN_ABOVE_LOW | MTCNN_BELOW_HIGH | MTCNN_IN_DATA, .group = "Detection",
     .option = "scale-factor", .argument = "F",
     .help = "ratio of the image pyramid's neighbouring levels"},
    {DETECTOR(border), NUMBERS(DOUBLE, 1, 0, 0.5), .fallback = "0",
     .flags = MTCNN_BELOW_HIGH | MTCNN_IN_DATA, .group = "Detection", .option = "border",
     .argument = "F",
     .help = "how far PNet's windows reach out of the picture, as a share of their side: finds "
             "faces that fill the picture or that its edge cuts"},
    {DETECTOR(nms), NUMBERS(FLOAT, 4, 0, 1), .flags = MTCNN_IN_DATA},
    {DETECTOR(max_boxes), NUMBERS(INT, 3, 1, MTCNN_MAX_BOXES), .flags = MTCNN_IN_DATA,
     .group = "Detection", .option = "max-boxes", .argument = "P,R,O",
     .help = "maximum number of boxes that PNet, RNet and ONet pass on, the best ones: bounds "
             "memory and time"},
    {DETECTOR(final_nms), CHOICE("hard soft"), .fallback = "hard", .group = "Detection",
     .option = "nms", .argument = "FORM",
     .help = "how to suppress faces that overlap: hard drops the lower-scored one; soft lowers its "
             "score, which with low thresholds keeps more faces that hide each other, and more "
             "false ones"},
    {PROGRAM("stage"), CHOICE("pnet rnet onet"), .group = "Detection", .option = "stage",
     .argument = "NAME",
     .help = "give what this network proposes instead of the faces: boxes and scores, with onet "
             "also landmarks; boxes are never clipped",
     .without = "the faces"},
    {DETECTOR(clip), FLAG, .fallback = "1", .group = "Detection", .option = "no-clip",
     .help = "let boxes extend beyond the picture", .without = "boxes are clipped to it"},

    {DETECTOR(threads), NUMBERS(INT, 1, 1, MTCNN_MAX_THREADS), .fallback = "1",
     .group = "Speed and limits", .option = "threads", .argument = "N",
     .help = "threads that work on a picture; the faces do not depend on it"},
    {PROGRAM("jobs"), NUMBERS(INT, 1, 1, MTCNN_MAX_THREADS), .fallback = "1",
     .flags = MTCNN_OF_PICTURES, .group = "Speed and limits", .option = "jobs", .argument = "N",
     .help = "pictures processed at a time, which is faster for many pictures than as many "
             "threads; the output does not depend on it"},
    {DETECTOR(max_side), NUMBERS(INT, 1, 1, MTCNN_MAX_SIDE), .unit = "pixels", .fallback = "0",
     .flags = MTCNN_OR_ZERO, .group = "Speed and limits", .option = "max-side", .argument = "PX",
     .help = "search a picture whose longer side exceeds this as if it were scaled down to it: "
             "faces smaller than --min-face are then not found in it, and time stays bounded; "
             "results are in the picture's own pixels",
     .without = "pictures as they are"},
    {PROGRAM("max_pixels"), NUMBERS(DOUBLE, 1, 0, 1e6), .unit = "megapixels", .fallback = "100",
     .flags = MTCNN_ABOVE_LOW, .group = "Speed and limits", .option = "max-pixels",
     .argument = "MP",
     .help = "refuse larger pictures and frames, by their header where it has the size"},

    {PROGRAM("json"), FLAG, .group = "Output", .option = "json",
     .help = "one JSON object a line for each picture or frame", .without = "text"},
    {PROGRAM("csv"), FLAG, .group = "Output", .excludes = "json", .option = "csv",
     .help = "comma-separated values with a header, one line a face"},
    {PROGRAM("time"), FLAG, .group = "Output", .option = "time",
     .help = "also print milliseconds and candidates of each stage, on stderr (with --json, in the "
             "object); for a video the time of decoding, search and writing"},

    {PROGRAM("out"),
     TEXT("the path of a .jpg, .jpeg or .png file, or of a folder; with a video of "
          "a .mp4, .mkv or .avi file"),
     .group = "Files", .option = "out", .argument = "PATH",
     .help = "save the picture with boxes, scores and landmarks; with several pictures, or when "
             "PATH is a folder or ends in /, each under its own name in the folder PATH, which is "
             "created if missing; pictures of a folder keep their paths below it; for a video all "
             "frames, as one file",
     .without = "not saved"},
    {PROGRAM("crops"), TEXT("the path of a folder"), .flags = MTCNN_OF_PICTURES, .group = "Files",
     .option = "crops", .argument = "DIR",
     .help = "save each face, rotated and scaled to ArcFace's five points, as NAME_0.png, "
             "NAME_1.png, ..., best first; folders as with --out",
     .without = "not saved"},
    {PROGRAM("crop_size"), NUMBERS(INT, 1, 1, MTCNN_MAX_CROP), .unit = "pixels", .fallback = "112",
     .flags = MTCNN_OF_PICTURES, .group = "Files", .needs = "crops", .option = "crop-size",
     .argument = "PX", .help = "side of the crops"},
    {PROGRAM("wider"), TEXT("the path of a folder"), .flags = MTCNN_OF_PICTURES, .group = "Files",
     .option = "wider", .argument = "DIR",
     .help =
         "save what was found in WIDER FACE's form for evaluation, as DIR/EVENT/NAME.txt; EVENT "
         "is the name of the picture's folder",
     .without = "not saved"},

    {PROGRAM("video"), TEXT("the path or URL of a video, or - for standard input"),
     .group = "Video", .option = "video", .argument = "FILE",
     .help = "find the faces in the frames of a video file or of a stream such as rtsp://..."},
    {PROGRAM("camera"), NUMBERS(INT, 1, 0, 255), .group = "Video", .excludes = "video",
     .option = "camera", .argument = "N",
     .help = "find the faces in the camera /dev/videoN, until Ctrl-C"},
    {TRACKER(every), NUMBERS(INT, 1, 1, MTCNN_MAX_FRAMES), .unit = "frames", .fallback = "10",
     .flags = MTCNN_OF_VIDEOS, .group = "Video", .option = "every", .argument = "N",
     .help = "search the whole picture in every N-th frame only; those between are skipped or, "
             "with --track, searched only where faces were",
     .without = "1, with --track 10"},
    {PROGRAM("track"), FLAG, .flags = MTCNN_OF_VIDEOS, .group = "Video", .excludes = "stage",
     .option = "track",
     .help = "follow faces from frame to frame: each has an id, and its position is smoothed"},
    {PROGRAM("timeout"), NUMBERS(DOUBLE, 1, 0, 1e6), .unit = "seconds", .fallback = "10",
     .flags = MTCNN_ABOVE_LOW | MTCNN_OF_VIDEOS, .group = "Video", .option = "timeout",
     .argument = "S", .help = "seconds to wait for a connection, and for each frame"},
    {PROGRAM("reconnect"), NUMBERS(DOUBLE, 1, 0, 1e6), .unit = "seconds", .fallback = "0",
     .flags = MTCNN_OF_VIDEOS, .group = "Video", .option = "reconnect", .argument = "S",
     .help = "seconds for which to try to connect again after a stream or camera gave nothing for "
             "--timeout or broke off, until a frame comes; 0: the end is the end"},
    {PROGRAM("fps"), NUMBERS(DOUBLE, 1, 1e-4, 1e6), .unit = "frames a second",
     .flags = MTCNN_OF_VIDEOS, .group = "Video", .option = "fps", .argument = "F",
     .help = "frames a second, instead of the video's own times", .without = "the video's"},
    {TRACKER(lost), NUMBERS(INT, 1, 0, MTCNN_MAX_FRAMES), .unit = "frames", .fallback = "10"},
    {TRACKER(min_score), NUMBERS(FLOAT, 1, 0, 1), .fallback = "0.6"},
    {TRACKER(smoothing), NUMBERS(DOUBLE, 1, 0, MTCNN_MAX_SMOOTHING), .unit = "seconds",
     .fallback = "0.15"},
    {TRACKER(beta), NUMBERS(DOUBLE, 1, 0, INFINITY), .fallback = "20"},

    {MODEL(mean), ANY_NUMBER, .flags = MTCNN_IN_DATA},
    {MODEL(norm), ANY_NUMBER, .flags = MTCNN_NOT_ZERO | MTCNN_IN_DATA},
    {MODEL(color), CHOICE("RGB BGR"), .flags = MTCNN_IN_DATA},
    {MODEL(pad), NUMBERS(FLOAT, 1, 0, 255), .flags = MTCNN_IN_DATA},

    {PROGRAM("help"), FLAG, .group = "Other", .option = "help", .help = "print this help"},
    {PROGRAM("version"), FLAG, .group = "Other", .option = "version", .help = "print the version"},
};
_Static_assert(sizeof settings / sizeof *settings <= MTCNN_MAX_SETTINGS, "raise it");

const mtcnn_setting *mtcnn_settings(int *count)
{
    if (count)
        *count = (int)(sizeof settings / sizeof *settings);
    return settings;
}

const char *mtcnn_stampless_formats(void)
{
    return "avs2 avs3 cavsvideo dirac dnxhd evc h261 h263 h264 hevc image2pipe ingenient m4v mjpeg "
           "mjpeg_2000 mpegvideo mpjpeg obu vc1 vvc "
           /* FFmpeg's XYZ_pipe: pictures one after the other */
           "bmp_pipe dpx_pipe exr_pipe gif_pipe j2k_pipe jpeg_pipe jpegls_pipe jpegxl_pipe "
           "jpegxs_pipe pam_pipe pbm_pipe pgm_pipe png_pipe ppm_pipe qoi_pipe sgi_pipe tiff_pipe "
           "webp_pipe";
}
