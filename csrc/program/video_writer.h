/*
 * video_writer.h: pictures into a video file, through FFmpeg.
 *
 * The video is H.264 where FFmpeg has libx264, else, and in .avi, MPEG-4. As with atomic_file.h,
 * it gets its name only when it is finished. Room for what then follows the frames (an index) is
 * kept all the while, so that a full disk leaves a video of the frames until there. Functions that
 * fail return -1 with the cause (without the file's name) in *message.
 */
#ifndef MTCNN_PROGRAM_VIDEO_WRITER_H
#define MTCNN_PROGRAM_VIDEO_WRITER_H

#include "picture.h"

struct video_form {
    int width, height; /* pixels; odd sides become one pixel shorter */
    double rate;       /* frames a second, roughly: .mp4 and .mkv keep each frame's own time */
    int threads;       /* of the encoder */
};

struct video_writer;

/* Whether video_writer_open knows a format for path: 0, or -1 with the extensions that it knows. */
int video_writable(const char *path, struct message *message);

/*
 * Begins the file at path, a string that must outlive the writer. On success *writer is the
 * caller's, for video_writer_finish. On failure it is NULL.
 */
int video_writer_open(struct video_writer **writer, const char *path, const struct video_form *form,
                      struct message *message);

/*
 * Adds a frame, shown from seconds on; a picture of another size is scaled to the video's, with
 * black at two sides where its proportions are others. -1: the video cannot go on, and is to be
 * finished.
 */
int video_writer_add(struct video_writer *writer, const struct picture *picture, double seconds);

/*
 * Completes the file and frees *writer, which becomes NULL; a pointer to NULL is fine. -1: frames
 * are missing; those before are there, if there are any.
 */
int video_writer_finish(struct video_writer **writer, struct message *message);

#endif
