#include "picture.h"

#include <stdlib.h>

#include "mtcnn.h"

int picture_allocate(struct picture *picture, size_t width, size_t height, struct message *message)
{
    *picture = (struct picture){0};
    uint8_t *pixels = malloc(3 * width * height);
    if (!pixels)
        return message_set(message, "no memory for %zu x %zu pixels", width, height);
    *picture = (struct picture){(int)width, (int)height, pixels};
    return 0;
}

int picture_check_size(size_t width, size_t height, double megapixels, struct message *message)
{
    if (!width || !height)
        return message_set(message, "is damaged: a picture without pixels");
    if (width > MTCNN_MAX_SIDE || height > MTCNN_MAX_SIDE)
        return message_set(message,
                           "is too large: %zu x %zu, but no side may exceed %d pixels; scale it "
                           "down",
                           width, height, MTCNN_MAX_SIDE);
    if ((double)width * (double)height > megapixels * 1e6)
        return message_set(message,
                           "is too large: %zu x %zu, but %g megapixels are the limit; scale it "
                           "down, or raise --max-pixels",
                           width, height, megapixels);
    return 0;
}

int picture_too_few_bytes(size_t width, size_t height, size_t bytes, struct message *message)
{
    return message_set(
        message,
        "claims %zux%zu pixels, for which its %zu bytes are too few; get a whole copy of it", width,
        height, bytes);
}

int picture_truncated(const char *kind, struct message *message)
{
    return message_set(message, "is a truncated %s: the end of the file is missing", kind);
}

int picture_lacks_end(struct message *message)
{
    message_set(message, "lacks its end; all its pixels are there");
    return 0;
}

void picture_free(struct picture *picture)
{
    free(picture->pixels);
    *picture = (struct picture){0};
}
