/* webp.c: WebP, of an animation its first frame, by FFmpeg, which gets the picture's chunk alone.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "codec.h"
#include "exif.h"
#include "ffmpeg_picture.h"

enum { RIFF_HEADER = 12, CHUNK_HEADER = 8, FRAME_HEADER = 16 };

/* A chunk of a RIFF file, as far as the file goes. */
struct chunk {
    const uint8_t *name; /* its header, in the file */
    const uint8_t *body;
    size_t length, there; /* bytes of the body, those that the file has */
};

static uint32_t number(const uint8_t *bytes, int count)
{
    uint32_t value = 0;
    while (count--)
        value = value << 8 | bytes[count];
    return value;
}

static bool is_called(const struct chunk *chunk, const char *name)
{
    return !memcmp(chunk->name, name, 4);
}

/* The chunk at *at, which moves behind it; false at the end. */
static bool next_chunk(const uint8_t *bytes, size_t size, size_t *at, struct chunk *chunk)
{
    if (*at > size || size - *at < CHUNK_HEADER)
        return false;
    const size_t length = number(bytes + *at + 4, 4), room = size - *at - CHUNK_HEADER;
    *chunk = (struct chunk){bytes + *at, bytes + *at + CHUNK_HEADER, length,
                            length < room ? length : room};
    *at = length < room ? *at + CHUNK_HEADER + length + (length & 1) : size + 1;
    return true;
}

static bool is_pixels(const struct chunk *chunk)
{
    return is_called(chunk, "VP8 ") || is_called(chunk, "VP8L");
}

/* What the file has of interest. */
struct webp {
    struct chunk pixels;           /* of the picture, or of the first frame; name NULL: none */
    const uint8_t *canvas, *frame; /* bodies of VP8X and the first ANMF; NULL: none */
    int orientation;
    bool ended; /* the file is cut off behind the pixels */
};

static void find_pixels(const uint8_t *bytes, size_t size, size_t at, struct webp *webp)
{
    struct chunk chunk;
    while (!webp->pixels.name && next_chunk(bytes, size, &at, &chunk))
        if (is_pixels(&chunk))
            webp->pixels = chunk;
}

static struct webp read_chunks(const uint8_t *bytes, size_t size)
{
    struct webp webp = {.orientation = 1};
    struct chunk chunk;
    size_t at = RIFF_HEADER;
    while (next_chunk(bytes, size, &at, &chunk)) {
        const bool whole = chunk.there == chunk.length;
        if (is_called(&chunk, "VP8X") && chunk.there >= 10) {
            webp.canvas = chunk.body;
        } else if (is_called(&chunk, "EXIF") && whole) {
            const int found = exif_orientation_app1(chunk.body, chunk.length); /* as some have it */
            webp.orientation = found ? found : exif_orientation(chunk.body, chunk.length);
        } else if (is_called(&chunk, "ANMF") && chunk.there >= FRAME_HEADER && !webp.frame) {
            webp.frame = chunk.body;
            find_pixels(chunk.body, chunk.there, FRAME_HEADER, &webp);
        } else if (is_pixels(&chunk) && !webp.pixels.name) {
            webp.pixels = chunk;
        }
    }
    webp.ended = number(bytes + 4, 4) > size - CHUNK_HEADER; /* as the file's header has it */
    return webp;
}

/* Whether the first frame of an animation covers its canvas. */
static bool covers_canvas(const struct webp *webp)
{
    return !webp->frame ||
           (webp->canvas && !number(webp->frame, 3) && !number(webp->frame + 3, 3) &&
            !memcmp(webp->frame + 6, webp->canvas + 4, 6));
}

/* Decodes a WebP file that has this chunk alone. */
static int decode_chunk(struct picture *picture, const struct chunk *chunk, double megapixels,
                        struct message *message)
{
    const size_t body = chunk->length + (chunk->length & 1), length = 4 + CHUNK_HEADER + body;
    uint8_t *file = calloc(1, RIFF_HEADER + CHUNK_HEADER + body);
    if (!file)
        return message_set(message, "no memory for its %zu bytes", body);
    memcpy(file, "RIFF....WEBP", RIFF_HEADER);
    for (int i = 0; i < 4; i++)
        file[4 + i] = (uint8_t)(length >> 8 * i);
    memcpy(file + RIFF_HEADER, chunk->name, CHUNK_HEADER + chunk->length);
    int failed = ffmpeg_picture(picture, file, RIFF_HEADER + CHUNK_HEADER + body, FFMPEG_WEBP,
                                megapixels, message);
    free(file);
    return failed;
}

static int webp_decode(struct picture *picture, int *orientation, const uint8_t *bytes, size_t size,
                       double megapixels, struct message *message)
{
    const struct webp webp = read_chunks(bytes, size);
    *orientation = webp.orientation;
    if (!webp.pixels.name || webp.pixels.there < webp.pixels.length)
        return picture_truncated("WebP", message);
    if (!covers_canvas(&webp))
        return message_set(message,
                           "is an animated WebP picture whose first frame is a part of it, which "
                           "this mtcnn does not decode; convert it to JPEG or PNG");
    if (decode_chunk(picture, &webp.pixels, megapixels, message))
        return -1;
    return webp.ended ? picture_lacks_end(message) : 0;
}

const struct codec webp_codec = {.kind = "WebP", .decode = webp_decode};
