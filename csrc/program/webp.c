/* webp.c: WebP by FFmpeg. */
#include <string.h>

#include "codec.h"
#include "exif.h"
#include "ffmpeg_picture.h"

/* The orientation in a RIFF file's EXIF chunk; 1 where there is none. */
static int webp_orientation(const uint8_t *bytes, size_t size)
{
    for (size_t at = 12; at + 8 <= size;) {
        const uint8_t *chunk = bytes + at;
        const size_t length = chunk[4] | (size_t)chunk[5] << 8 | (size_t)chunk[6] << 16 |
                              (size_t)chunk[7] << 24;
        if (length > size - at - 8)
            break;
        if (!memcmp(chunk, "EXIF", 4)) {
            int orientation = exif_orientation_app1(chunk + 8, length); /* as some write it */
            return orientation ? orientation : exif_orientation(chunk + 8, length);
        }
        at += 8 + length + (length & 1);
    }
    return 1;
}

static int webp_decode(struct picture *picture, int *orientation, const uint8_t *bytes, size_t size,
                       double megapixels, struct message *message)
{
    *orientation = webp_orientation(bytes, size);
    return ffmpeg_picture(picture, bytes, size, FFMPEG_WEBP, megapixels, message);
}

const struct codec webp_codec = {.kind = "WebP", .decode = webp_decode};
