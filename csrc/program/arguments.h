/* arguments.h: the command line. */
#ifndef MTCNN_PROGRAM_ARGUMENTS_H
#define MTCNN_PROGRAM_ARGUMENTS_H

#include <stdbool.h>

#include "mtcnn.h"
#include "output.h"

enum arguments_wish {
    WISH_DETECT,  /* find faces in the pictures */
    WISH_HELP,    /* print the help, nothing else */
    WISH_VERSION, /* print the version, nothing else */
    WISH_NOTHING  /* the command line is wrong; that was said on stderr */
};

/* What the command line asks for. Strings are those of argv. */
struct arguments {
    const char *model;   /* path of a .data file; NULL: not named */
    double min_face;     /* pixels; 0: as the model has it */
    float thresholds[3]; /* for PNet, RNet, ONet; all negative: as the model has them */
    double scale_factor; /* 0: as the model has it */
    int max_boxes[3];    /* for PNet, RNet, ONet; all 0: as the model has them */
    mtcnn_final_nms final_nms;
    int stage; /* 0, 1, 2: whose boxes are shown; STAGE_FINAL: the cascade's faces */
    bool clip;
    int threads;
    int jobs;          /* pictures in work at a time */
    int max_side;      /* pixels; 0: none */
    double max_pixels; /* the largest picture that is read, megapixels */
    mtcnn_form format;
    bool time;
    const char *out;   /* where annotated pictures go; NULL: nowhere */
    const char *crops; /* the folder of aligned crops; NULL: none */
    int crop_size;     /* pixels; 0: not named */
    const char *wider; /* the folder of predictions in WIDER FACE's form; NULL: none */
    const char *video; /* a file or URL in place of pictures; NULL: none */
    int camera;        /* the number of a camera in place of pictures; -1: none */
    int every;         /* frames from one full search to the next; 0: not named */
    bool track;        /* follow faces from frame to frame */
    double timeout;    /* seconds to wait for a video's source; 0: not named */
    char **words; /* [word_count]: what the inputs are named by, behind the options in argv, which
                          is reordered */
    int word_count;
};

enum { EXIT_USAGE = 2 }; /* the command line is wrong */

#define VIDEO_TIMEOUT 10 /* seconds, unless one says otherwise */

/* Reads the command line into *arguments; a mistake is told on stderr in one line. */
enum arguments_wish arguments_read(struct arguments *arguments, int argc, char **argv);

/* Puts what the command line sets in place of the model's own settings. */
void arguments_apply(const struct arguments *arguments, mtcnn_options *options);

#endif
