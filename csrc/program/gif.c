/* gif.c: GIF, its first frame, by FFmpeg. */
#include "codec.h"
#include "ffmpeg_picture.h"

static int gif_decode(struct picture *picture, int *orientation, const uint8_t *bytes, size_t size,
                      double megapixels, struct message *message)
{
    *orientation = 1;
    return ffmpeg_picture(picture, bytes, size, FFMPEG_GIF, megapixels, message);
}

const struct codec gif_codec = {.kind = "GIF", .decode = gif_decode};
