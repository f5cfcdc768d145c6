/* gif.c: GIF, its first frame, by FFmpeg, which passes over rows that are missing. */
#include <stdbool.h>

#include "codec.h"
#include "ffmpeg_picture.h"

enum { EXTENSION = 0x21, IMAGE = 0x2c, HAS_TABLE = 0x80, MAX_CODES = 4096, MAX_BITS = 12 };

/* A file's bytes from at on; those of a chain of blocks come without the blocks' lengths. */
struct gif {
    const uint8_t *bytes;
    size_t size, at;
    size_t block; /* bytes left of the block */
};

/* The next byte of a chain of blocks; -1 at its end, or the file's. */
static int next_byte(struct gif *gif)
{
    if (!gif->block) {
        if (gif->at >= gif->size || !gif->bytes[gif->at])
            return -1;
        gif->block = gif->bytes[gif->at++];
    }
    if (gif->at >= gif->size)
        return -1;
    gif->block--;
    return gif->bytes[gif->at++];
}

static void skip_table(struct gif *gif, int flags)
{
    if (flags & HAS_TABLE)
        gif->at += (size_t)3 << ((flags & 7) + 1);
}

/* Pixels that LZW data bring, which begin at gif: the lengths of their strings, added up. */
static uint64_t count_pixels(struct gif *gif)
{
    uint16_t lengths[MAX_CODES];
    if (gif->at >= gif->size)
        return 0;
    const int least = gif->bytes[gif->at++]; /* bits of a pixel */
    if (least < 1 || least >= MAX_BITS)
        return 0;
    const int clear = 1 << least, end = clear + 1;
    int bits = least + 1, codes = clear + 2, before = -1, held = 0;
    uint32_t buffer = 0;
    uint64_t pixels = 0;
    for (int i = 0; i < clear; i++)
        lengths[i] = 1;
    for (;;) {
        for (int byte; held < bits; held += 8, buffer |= (uint32_t)byte << (held - 8))
            if ((byte = next_byte(gif)) < 0)
                return pixels;
        const int code = (int)(buffer & ((1u << bits) - 1));
        buffer >>= bits;
        held -= bits;
        if (code == clear) {
            bits = least + 1;
            codes = clear + 2;
            before = -1;
            continue;
        }
        if (code == end || code > codes || (code == codes && before < 0))
            return pixels;
        if (before >= 0 && codes < MAX_CODES)
            lengths[codes++] = (uint16_t)(lengths[before] + 1);
        if (code >= codes) /* the table is full */
            return pixels;
        pixels += lengths[code];
        before = code;
        if (codes == 1 << bits && bits < MAX_BITS)
            bits++;
    }
}

/* Whether the first frame has all its pixels; *ended: the file does where the frame does. */
static bool is_whole(const uint8_t *bytes, size_t size, bool *ended)
{
    enum { HEADER = 13, FLAGS = 10, DESCRIPTOR = 10 };
    struct gif gif = {.bytes = bytes, .size = size, .at = HEADER};
    if (size < HEADER)
        return false;
    skip_table(&gif, bytes[FLAGS]);
    while (gif.at + 2 < size && bytes[gif.at] == EXTENSION) {
        gif.at += 2;
        while (next_byte(&gif) >= 0) {
        }
        gif.at++;
    }
    if (gif.at + DESCRIPTOR > size || bytes[gif.at] != IMAGE)
        return false;
    const uint8_t *image = bytes + gif.at;
    const uint64_t width = image[5] | (uint64_t)image[6] << 8;
    const uint64_t height = image[7] | (uint64_t)image[8] << 8;
    gif.at += DESCRIPTOR;
    skip_table(&gif, image[9]);
    const uint64_t pixels = count_pixels(&gif);
    while (next_byte(&gif) >= 0) { /* what comes behind the end code */
    }
    *ended = gif.at + 1 >= size;
    return pixels >= width * height;
}

static int gif_decode(struct picture *picture, int *orientation, const uint8_t *bytes, size_t size,
                      double megapixels, struct message *message)
{
    bool ended = false;
    *orientation = 1;
    if (!is_whole(bytes, size, &ended))
        return message_set(message, "is a truncated or damaged GIF: its first frame lacks pixels");
    if (ffmpeg_picture(picture, bytes, size, FFMPEG_GIF, megapixels, message))
        return -1;
    return ended ? picture_lacks_end(message) : 0;
}

const struct codec gif_codec = {.kind = "GIF", .decode = gif_decode};
