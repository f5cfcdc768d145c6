/* video_frame.h: the way from FFmpeg's frames, of any pixel format, to pictures and back. */
#ifndef MTCNN_PROGRAM_VIDEO_FRAME_H
#define MTCNN_PROGRAM_VIDEO_FRAME_H

#include "ffmpeg.h"
#include "picture.h"

/* Conversions of one kind of frames into another; all zero at first. */
struct frame_scaler {
    struct SwsContext *context;
    int width, height, format, space, range; /* of the source that context was made for */
    AVFrame *rgb;                            /* between picture and frame */

    struct SwsContext *fit;    /* for pictures of other proportions than the frame's */
    int fit_width, fit_height; /* of the picture that fit was made for */
};

/* The frame's pixels as a picture of its size, whose old pixels are reused if that is the same. */
int frame_to_picture(struct frame_scaler *scaler, const AVFrame *frame, struct picture *picture,
                     struct message *message);

/*
 * The picture in the size and format of frame, which is made writable: scaled to it, or, where it
 * has other proportions, scaled into its middle, with black at two sides.
 */
int frame_from_picture(struct frame_scaler *scaler, const struct picture *picture, AVFrame *frame,
                       struct message *message);

void frame_scaler_free(struct frame_scaler *scaler);

#endif
