#include "picture_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "atomic_file.h"
#include "codec.h"
#include "inputs.h"
#include "mtcnn.h"

/* A new format is one new file and one line here. */
static const struct codec *const codecs[] = {&jpeg_codec, &png_codec, &webp_codec, &bmp_codec,
                                             &tiff_codec, &gif_codec, &heic_codec, &avif_codec};
#define CODEC_COUNT (sizeof codecs / sizeof *codecs)

#define FIRST_READ ((size_t)1 << 16) /* enough to know a picture from what never ends */
#define MAX_BYTES ((size_t)1 << 30)  /* a device like /dev/zero would never end */

static const struct codec *codec_of_kind(const char *kind)
{
    for (size_t i = 0; i < CODEC_COUNT; i++)
        if (!strcmp(codecs[i]->kind, kind))
            return codecs[i];
    return NULL;
}

int picture_decode(struct picture *picture, const uint8_t *bytes, size_t size, double megapixels,
                   struct message *message)
{
    *picture = (struct picture){0};
    message->text[0] = '\0';
    if (!size)
        return message_set(message, "is an empty file");
    const char *kind = mtcnn_picture_kind(bytes, size, NULL);
    if (!kind)
        return message_set(message,
                           "is neither a JPEG nor a PNG picture, nor WebP, BMP, TIFF, GIF, HEIC or "
                           "AVIF; a video is named with --video");
    const struct codec *codec = codec_of_kind(kind);
    if (!codec)
        return message_set(message,
                           "is a %s picture, which this mtcnn does not decode; convert it to JPEG "
                           "or PNG",
                           kind);
    int orientation = 1;
    if (codec->decode(picture, &orientation, bytes, size, megapixels, message) ||
        picture_orient(picture, orientation, message)) {
        picture_free(picture);
        return -1;
    }
    return 0;
}

/* All bytes of file, to be freed by the caller also after a failure. */
static int read_bytes(FILE *file, uint8_t **bytes, size_t *size, struct message *message)
{
    size_t capacity = FIRST_READ;
    for (;;) {
        uint8_t *more = realloc(*bytes, capacity);
        if (!more)
            return message_set(message, "no memory for its first %zu bytes", capacity);
        *bytes = more;
        *size += fread(*bytes + *size, 1, capacity - *size, file);
        if (ferror(file))
            return message_set(message, "cannot be read: %s", strerror(errno));
        if (*size > MAX_BYTES)
            return message_set(message, "more than %zu MiB, which no picture has", MAX_BYTES >> 20);
        if (*size < capacity || !mtcnn_picture_kind(*bytes, *size, NULL))
            return 0;
        capacity = capacity < MAX_BYTES ? 2 * capacity : MAX_BYTES + 1;
    }
}

int picture_read(struct picture *picture, const char *path, double megapixels,
                 struct message *message)
{
    *picture = (struct picture){0};
    const bool standard = !strcmp(path, STANDARD_INPUT);
    FILE *file = standard ? stdin : fopen(path, "rb");
    if (!file)
        return message_set(message, "cannot be opened: %s", strerror(errno));
    uint8_t *bytes = NULL;
    size_t size = 0;
    int failed = read_bytes(file, &bytes, &size, message);
    if (!standard)
        fclose(file);
    if (!failed)
        failed = picture_decode(picture, bytes, size, megapixels, message);
    free(bytes);
    return failed;
}

static const struct codec *codec_of_path(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *dot = strrchr(slash ? slash : path, '.');
    for (size_t i = 0; dot && i < CODEC_COUNT; i++)
        for (const char *const *extension = codecs[i]->extensions; *extension; extension++)
            if (!strcasecmp(dot, *extension))
                return codecs[i];
    return NULL;
}

#if defined(MTCNN_JPEG) && defined(MTCNN_PNG)
#define WRITABLE "the name must end in .jpg, .jpeg or .png"
#elif defined(MTCNN_JPEG)
#define WRITABLE "the name must end in .jpg or .jpeg, as this mtcnn was built without libpng"
#elif defined(MTCNN_PNG)
#define WRITABLE "the name must end in .png, as this mtcnn was built without libjpeg"
#else
#define WRITABLE "this mtcnn was built without libjpeg and libpng"
#endif

int picture_writable(const char *path, struct message *message)
{
    const struct codec *codec = codec_of_path(path);
    if (codec && codec->encode)
        return 0;
    return message_set(message, "cannot be written: " WRITABLE "; a video comes from --video");
}

const char *picture_ending(void)
{
    return !png_codec.encode && jpeg_codec.encode ? ".jpg" : ".png";
}

int picture_write(const struct picture *picture, const char *path, struct message *message)
{
    if (picture_writable(path, message))
        return -1;
    const struct codec *codec = codec_of_path(path);
    struct atomic_file file;
    if (atomic_file_open(&file, path, message))
        return -1;
    if (codec->encode(picture, file.stream, message) && !ferror(file.stream)) {
        atomic_file_abandon(&file);
        return -1;
    }
    return atomic_file_commit(&file, message);
}
