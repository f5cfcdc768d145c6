/*
 * video_reader.h: the frames of a video file, a stream or a camera, through FFmpeg.
 *
 * Functions that fail return -1 with the cause (without the source's name) in *message.
 */
#ifndef MTCNN_PROGRAM_VIDEO_READER_H
#define MTCNN_PROGRAM_VIDEO_READER_H

#include <stdbool.h>

#include "picture.h"

struct video_source {
    const char *name;  /* a path, a URL, "-" for standard input, or the camera's device */
    bool camera;       /* name is a Video4Linux device */
    double timeout;    /* seconds to wait for a connection, and for each frame; > 0 */
    double reconnect;  /* seconds to try to connect again where it stalls or breaks off; 0: never */
    int threads;       /* of the decoder */
    double megapixels; /* the largest frame that is decoded */

    void (*notice)(void *opaque, const char *text); /* says that it connects again */
    void *opaque;
};

/* Whether it is a URL or a camera: there may be another connection to it. */
bool video_source_connects(const struct video_source *source);

struct video_reader;

/*
 * Opens the source, whose strings must outlive the reader. On success *reader is the caller's, to
 * be freed with video_reader_free. On failure it is NULL.
 */
int video_reader_open(struct video_reader **reader, const struct video_source *source,
                      struct message *message);

/*
 * Decodes the next frame: 1, or 0 at the end, also when interrupt_caught() says so. *seconds
 * becomes the time since the first frame, larger than the frame's before (video_clock.h).
 *
 * A source that breaks off gives all frames before; damaged ones are left out, or shown as far as
 * they can be. -1 reports both, at the end. With source.reconnect an endless source that ends or
 * breaks off goes on, and one with an end goes on where it broke off.
 */
int video_reader_next(struct video_reader *reader, double *seconds, struct message *message);

/*
 * The frame's pixels, upright. *picture is the caller's, all zero or what an earlier call made; its
 * size may change in the middle of a video.
 */
int video_reader_picture(struct video_reader *reader, struct picture *picture,
                         struct message *message);

/* Frames a second as the source declares them; 25 where it does not. */
double video_reader_rate(const struct video_reader *reader);

/* The number of frames as the source declares it; 0 where it does not. */
long video_reader_count(const struct video_reader *reader);

/* Frees *reader and sets it to NULL; a pointer to NULL is fine. */
void video_reader_free(struct video_reader **reader);

#endif
