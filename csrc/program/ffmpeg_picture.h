/* ffmpeg_picture.h: pictures by FFmpeg's decoders; without FFmpeg a message that says so. */
#ifndef MTCNN_PROGRAM_FFMPEG_PICTURE_H
#define MTCNN_PROGRAM_FFMPEG_PICTURE_H

#include "picture.h"

enum ffmpeg_format { FFMPEG_BMP, FFMPEG_GIF, FFMPEG_TIFF, FFMPEG_WEBP };

/* As a codec's decode (codec.h). What FFmpeg logs as an error makes it fail. */
int ffmpeg_picture(struct picture *picture, const uint8_t *bytes, size_t size,
                   enum ffmpeg_format format, double megapixels, struct message *message);

#endif
