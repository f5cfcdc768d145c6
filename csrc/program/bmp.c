/* bmp.c: BMP by FFmpeg. */
#include "codec.h"
#include "ffmpeg_picture.h"

static int bmp_decode(struct picture *picture, int *orientation, const uint8_t *bytes, size_t size,
                      double megapixels, struct message *message)
{
    *orientation = 1;
    return ffmpeg_picture(picture, bytes, size, FFMPEG_BMP, megapixels, message);
}

const struct codec bmp_codec = {.kind = "BMP", .decode = bmp_decode};
