/* video_run.h: finds the faces in the frames of a video. */
#ifndef MTCNN_PROGRAM_VIDEO_RUN_H
#define MTCNN_PROGRAM_VIDEO_RUN_H

#include "arguments.h"
#include "message.h"
#include "mtcnn.h"

/* Whether what the command line asks for can be done at all: 0, or -1 with the cause. */
int video_plan(const struct arguments *arguments, struct message *message);

/*
 * Detects or tracks, prints and saves as the command line asks; errors are reported on stderr.
 * Returns the program's exit status: EXIT_SUCCESS, EXIT_FAILURE, or 128 + the signal that ended it.
 */
int video_run(const struct arguments *arguments, mtcnn_detector *detector);

#endif
