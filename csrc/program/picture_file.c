#include "picture_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "atomic_file.h"
#include "codec.h"
#include "inputs.h"

/* A new format is one new file and one line here (and its name in the two messages below). */
static const struct codec *const codecs[] = {&jpeg_codec, &png_codec,  &webp_codec,
                                             &bmp_codec,  &tiff_codec, &big_endian_tiff_codec,
                                             &gif_codec};
#define CODEC_COUNT (sizeof codecs / sizeof *codecs)

#define FIRST_READ ((size_t)1 << 16) /* enough to know a picture from what never ends */

static bool begins_with_magic(const uint8_t *bytes, size_t size, const struct codec *codec)
{
    if (size < codec->magic_length)
        return false;
    for (size_t i = 0; i < codec->magic_length; i++)
        if (codec->magic[i] != '?' && (uint8_t)codec->magic[i] != bytes[i])
            return false;
    return true;
}

static const struct codec *codec_of_bytes(const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < CODEC_COUNT; i++)
        if (begins_with_magic(bytes, size, codecs[i]))
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
    const struct codec *codec = codec_of_bytes(bytes, size);
    if (!codec)
        return message_set(message,
                           "is neither a JPEG nor a PNG picture, nor WebP, BMP, TIFF or GIF; a "
                           "video is named with --video");
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
        if (*size < capacity || !codec_of_bytes(*bytes, *size))
            return 0;
        if (capacity > SIZE_MAX / 2)
            return message_set(message, "is larger than the memory");
        capacity *= 2;
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
