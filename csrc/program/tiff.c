/* tiff.c: TIFF, its first picture, by FFmpeg, as far as FFmpeg really decodes it. */
#include <stdbool.h>
#include <stdio.h>

#include "codec.h"
#include "exif.h"
#include "ffmpeg_picture.h"
#include "tiff_directory.h"

/* Tags, and values of them (TIFF 6.0). */
enum {
    WIDTH = 256,
    HEIGHT = 257,
    BITS = 258,
    COMPRESSION = 259,
    PHOTOMETRIC = 262,
    FILL_ORDER = 266,
    SAMPLES = 277,
    PLANES = 284,
    COLOR_MAP = 320,
    TILE_WIDTH = 322,
    TILE_OFFSETS = 324,
    SAMPLE_FORMAT = 339,
};
enum {
    UNCOMPRESSED = 1,
    LZW = 5,
    OLD_JPEG = 6,
    JPEG = 7,
    ADOBE_DEFLATE = 8,
    PACKBITS = 32773,
    DEFLATE = 32946,
    JPEG_2000 = 34712,
    LZMA = 34925
};
enum { GRAY = 1, RGB = 2, PALETTE = 3, CMYK = 5, YCBCR = 6 };
enum { REVERSED = 2, SEPARATE = 2, UNSIGNED = 1, UNKNOWN = 4 };

static bool has(const struct tiff_directory *tiff, unsigned tag)
{
    return tiff_find(tiff, tag).count;
}

/* The compression's name, where FFmpeg takes it for black, or refuses it without naming it. */
static const char *unread_compression(const struct tiff_directory *tiff, char text[32])
{
    const uint32_t compression = tiff_first(tiff, COMPRESSION, UNCOMPRESSED);
    switch (compression) {
    case OLD_JPEG:
    case JPEG: return "JPEG compression";
    case JPEG_2000: return "JPEG 2000 compression";
    case ADOBE_DEFLATE:
    case PACKBITS:
    case DEFLATE:
    case LZMA: return NULL;
    default: break;
    }
    if (compression >= UNCOMPRESSED && compression <= LZW) /* and CCITT's */
        return NULL;
    snprintf(text, 32, "compression %u", (unsigned)compression);
    return text;
}

static const char *unread_samples(const struct tiff_directory *tiff)
{
    const struct tiff_entry formats = tiff_find(tiff, SAMPLE_FORMAT);
    for (size_t i = 0; i < formats.count; i++) {
        const uint32_t format = tiff_value(tiff, &formats, i);
        if (format != UNSIGNED && format != UNKNOWN)
            return "signed or floating-point pixels";
    }
    return NULL;
}

/* The name of a kind of pixels that FFmpeg does not know, or takes for another one. */
static const char *unread_colors(const struct tiff_directory *tiff, char text[32])
{
    const uint32_t colors = tiff_first(tiff, PHOTOMETRIC, GRAY);
    const bool plain_cmyk = tiff_first(tiff, BITS, 1) == 8 && tiff_first(tiff, SAMPLES, 1) == 4 &&
                            tiff_first(tiff, PLANES, 1) != SEPARATE;
    if (colors <= RGB || (colors == CMYK && plain_cmyk))
        return NULL;
    if (colors == PALETTE)
        return tiff_find(tiff, COLOR_MAP).type == TIFF_SHORT ? NULL : "a palette of odd numbers";
    if (colors == YCBCR)
        return "YCbCr pixels";
    snprintf(text, 32, "pixels of kind %u", (unsigned)colors);
    return text;
}

/* Of bytes with several pixels, FFmpeg turns back the bits of two colours alone. */
static bool has_reversed_pixels(const struct tiff_directory *tiff)
{
    const uint32_t bits = tiff_first(tiff, BITS, 1);
    return tiff_first(tiff, FILL_ORDER, 1) == REVERSED && bits < 8 &&
           (bits > 1 || tiff_first(tiff, PHOTOMETRIC, GRAY) == PALETTE);
}

/* What the first picture has that FFmpeg would decode wrong without a word; NULL: nothing. */
static const char *unread(const struct tiff_directory *tiff, char text[32])
{
    if (has(tiff, TILE_WIDTH) || has(tiff, TILE_OFFSETS))
        return "tiles";
    const char *found = unread_compression(tiff, text);
    if (!found)
        found = unread_colors(tiff, text);
    if (!found && has_reversed_pixels(tiff))
        found = "pixels in reversed order";
    return found ? found : unread_samples(tiff);
}

/* Most bytes that one can stand for; 0: there is no limit worth the name. */
static double most_expansion(uint32_t compression)
{
    switch (compression) {
    case UNCOMPRESSED: return 1;
    case LZW:
        return 4096 * 8 / 9.0; /* codes of at least 9 bits for strings below the table's size */
    case ADOBE_DEFLATE:
    case DEFLATE: return 1032;
    case PACKBITS: return 64;
    default: return 0;
    }
}

static int check_bytes(const struct tiff_directory *tiff, double megapixels,
                       struct message *message)
{
    const uint32_t width = tiff_first(tiff, WIDTH, 0), height = tiff_first(tiff, HEIGHT, 0);
    const double most = most_expansion(tiff_first(tiff, COMPRESSION, UNCOMPRESSED));
    const double bits = (double)tiff_first(tiff, BITS, 1) * tiff_first(tiff, SAMPLES, 1);
    if (picture_check_size(width, height, megapixels, message))
        return -1;
    if (most > 0 && most * (double)tiff->size * 8 < bits * width * height)
        return picture_too_few_bytes(width, height, tiff->size, message);
    return 0;
}

static int tiff_decode(struct picture *picture, int *orientation, const uint8_t *bytes, size_t size,
                       double megapixels, struct message *message)
{
    char text[32];
    const struct tiff_directory tiff = tiff_open(bytes, size);
    *orientation = exif_orientation(bytes, size);
    if (!has(&tiff, WIDTH) || !has(&tiff, HEIGHT))
        return message_set(message, "is a damaged TIFF: its directory is missing");
    const char *found = unread(&tiff, text);
    if (found)
        return message_set(
            message,
            "is a TIFF picture with %s, which this mtcnn does not decode; convert it "
            "to JPEG or PNG",
            found);
    if (check_bytes(&tiff, megapixels, message))
        return -1;
    return ffmpeg_picture(picture, bytes, size, FFMPEG_TIFF, megapixels, message);
}

const struct codec tiff_codec = {.kind = "TIFF", .decode = tiff_decode};
