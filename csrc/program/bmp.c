/* bmp.c: BMP by FFmpeg. */
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "ffmpeg_picture.h"

static uint32_t number(const uint8_t *bytes, int count)
{
    uint32_t value = 0;
    while (count--)
        value = value << 8 | bytes[count];
    return value;
}

/*
 * Bytes that the file lacks of rows that are not compressed; 0 where it lacks none, or they are.
 * *padding: so many of them at the end hold no pixel.
 */
static double missing_bytes(const uint8_t *bytes, size_t size, double *padding)
{
    enum { PIXELS = 10, HEADER = 14, WIDTH = 18, HEIGHT = 22, BITS = 28, COMPRESSION = 30 };
    enum { OLD_HEADER = 12, FIRST_COMPRESSED = 1, LAST_COMPRESSED = 2, JPEG = 4, PNG = 5 };
    if (size < 54 || number(bytes + HEADER, 4) == OLD_HEADER)
        return 0;
    const uint32_t compression = number(bytes + COMPRESSION, 4);
    if ((compression >= FIRST_COMPRESSED && compression <= LAST_COMPRESSED) ||
        compression == JPEG || compression == PNG)
        return 0;
    const uint32_t height = number(bytes + HEIGHT, 4);
    const uint32_t rows = height < 1u << 31 ? height : 0 - height; /* upside down: negative */
    const double bits = (double)number(bytes + WIDTH, 4) * number(bytes + BITS, 2);
    const double row = (double)(uint64_t)((bits + 31) / 32) * 4;
    *padding = row - (double)(uint64_t)((bits + 7) / 8);
    const double missing = number(bytes + PIXELS, 4) + row * rows - (double)size;
    return missing > 0 ? missing : 0;
}

static int bmp_decode(struct picture *picture, int *orientation, const uint8_t *bytes, size_t size,
                      double megapixels, struct message *message)
{
    double padding = 0;
    const double missing = missing_bytes(bytes, size, &padding);
    *orientation = 1;
    if (missing <= 0)
        return ffmpeg_picture(picture, bytes, size, FFMPEG_BMP, megapixels, message);
    if (missing > padding)
        return picture_truncated("BMP", message);
    uint8_t *whole = calloc(1, size + (size_t)missing);
    if (!whole)
        return message_set(message, "no memory for its %zu bytes", size);
    memcpy(whole, bytes, size);
    int failed = ffmpeg_picture(picture, whole, size + (size_t)missing, FFMPEG_BMP, megapixels,
                                message);
    free(whole);
    return failed ? -1 : picture_lacks_end(message);
}

const struct codec bmp_codec = {.kind = "BMP", .decode = bmp_decode};
