/*
 * ffmpeg.h: FFmpeg's libraries, loaded when they are first needed, so that the program starts as
 * quickly without them, and runs where there are none.
 *
 * Once ffmpeg_load has succeeded, call them through the table: ffmpeg.av_read_frame(...).
 */
#ifndef MTCNN_PROGRAM_FFMPEG_H
#define MTCNN_PROGRAM_FFMPEG_H

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/opt.h>
#include <libswscale/swscale.h>
#include <stdbool.h>

#include "message.h"

/* libavdevice/avdevice.h, of which no more is used: its package would bring some 40 others. */
void avdevice_register_all(void);

/* Until FFmpeg 6.1 it took a function to get at a stream's side data. */
#define FFMPEG_OLD_SIDE_DATA (LIBAVFORMAT_VERSION_INT < AV_VERSION_INT(60, 15, 100))

struct ffmpeg {
#define FUNCTION(library, name) __typeof__(name) *name;
#include "ffmpeg_functions.def"
#undef FUNCTION
};

extern struct ffmpeg ffmpeg;

/* What for, in rising order of the libraries that it takes. */
enum ffmpeg_use { FFMPEG_PICTURES, FFMPEG_VIDEOS, FFMPEG_CAMERAS };

/*
 * Loads the libraries, those that are not yet: 0, or -1 where one is missing, with its name and its
 * Debian package. From then on what FFmpeg logs is not printed but kept, by each thread for itself.
 */
int ffmpeg_load(enum ffmpeg_use use, struct message *message);

/*
 * Writes "what FFmpeg's error code means (what its libraries logged last)" into *message. The
 * thread's log is empty from then on.
 */
void ffmpeg_cause(struct message *message, int code);

/* Writes "task: cause" into *message and returns -1. */
int ffmpeg_fail(struct message *message, const char *task, int code);

/* Whether FFmpeg's libraries have logged an error in this thread since its log was empty. */
bool ffmpeg_logged(void);

/* Whether the last one has these words. */
bool ffmpeg_log_has(const char *words);

/* Empties the log. */
void ffmpeg_forget(void);

#endif
