/* arguments.h: the command line, whose options are rows of the library's table of settings. */
#ifndef MTCNN_PROGRAM_ARGUMENTS_H
#define MTCNN_PROGRAM_ARGUMENTS_H

#include <stdbool.h>

#include "mtcnn.h"
#include "output.h"

enum arguments_wish {
    WISH_DETECT,  /* find faces in the pictures */
    WISH_HELP,    /* print the help, nothing else */
    WISH_VERSION, /* print the version, nothing else */
    WISH_NOTHING  /* the command line is wrong; stderr has the reason */
};

/*
 * What the command line asks for. Strings are those of argv.
 *
 * The program's own settings have their values here, the detector's and the tracker's are kept as
 * text until there is a model: arguments_apply.
 */
struct arguments {
    const char
        *given[MTCNN_MAX_SETTINGS]; /* of each row its text, "" for a flag; NULL: not given */

    const char *model; /* path of a .data file; NULL: not named */
    int stage;         /* 0, 1, 2: whose boxes are shown; -1: the cascade's faces */
    int jobs;          /* pictures in work at a time */
    double max_pixels; /* the largest picture that is read, megapixels */
    int json, csv;     /* flags: the form of the output */
    int time;          /* flag */
    const char *out;   /* where annotated pictures go; NULL: nowhere */
    const char *crops; /* the folder of aligned crops; NULL: none */
    int crop_size;     /* pixels */
    const char *wider; /* the folder of predictions in WIDER FACE's form; NULL: none */
    const char *video; /* a file or URL in place of pictures; NULL: none */
    int camera;        /* the number of a camera in place of pictures; -1: none */
    int track;         /* flag: follow faces from frame to frame */
    double fps;        /* frames a second; 0: as the video has it */
    double timeout;    /* seconds to wait for a video's source */
    double reconnect;  /* seconds to try to connect to it again; 0: not at all */

    mtcnn_form format;
    int every;    /* frames of a video from one full search to the next */
    int threads;  /* of the detector */
    char **words; /* [word_count]: the inputs, behind the options in argv, which is reordered */
    int word_count;
};

enum { EXIT_USAGE = 2 }; /* the command line is wrong */

/* Reads the command line into *arguments; a mistake is reported on stderr in one line. */
enum arguments_wish arguments_read(struct arguments *arguments, int argc, char **argv);

/* Puts what the command line sets in place of the owner's own settings: MTCNN_OF_DETECTOR's or
 * MTCNN_OF_TRACKER's struct. */
void arguments_apply(const struct arguments *arguments, mtcnn_setting_owner owner, void *values);

#endif
