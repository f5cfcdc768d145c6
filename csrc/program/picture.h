/*
 * picture.h: pictures in memory, and their way from and to files: JPEG and PNG, and, where there is
 * FFmpeg, from WebP, BMP, TIFF and GIF (its first frame).
 *
 * Every function that can fail returns 0, or -1 with the cause (without the file's name) in
 * *message. Nothing here prints or exits.
 */
#ifndef MTCNN_PROGRAM_PICTURE_H
#define MTCNN_PROGRAM_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "message.h"

struct picture {
    int width;       /* pixels, >= 1 */
    int height;      /* pixels, >= 1 */
    uint8_t *pixels; /* [height][width][3], red, green, blue; the picture's own */
};

/*
 * Reads a picture file, its format told by its first bytes, upright as its EXIF orientation says.
 * Path STANDARD_INPUT is standard input. A picture of more than so many megapixels is refused by what
 * its header says, before memory is taken for it.
 *
 * On success the picture is the caller's, to be freed with picture_free, and message->text is
 * empty, or a warning where the file is damaged and the picture therefore partly wrong. On failure
 * *picture is all zero.
 */
int picture_read(struct picture *picture, const char *path, double megapixels,
                 struct message *message);

/* The same for a file's bytes in memory. */
int picture_decode(struct picture *picture, const uint8_t *bytes, size_t size, double megapixels,
                   struct message *message);

/* Whether path ends as the names of pictures that are read do. */
bool picture_is_named(const char *path);

/* Whether picture_write knows a format for path: 0, or -1 with the extensions that it knows. */
int picture_writable(const char *path, struct message *message);

/* Writes path, as JPEG or PNG by its extension, wholly or not at all (see atomic_file.h). */
int picture_write(const struct picture *picture, const char *path, struct message *message);

/* Refuses pictures of no pixels, of more than so many megapixels, or with too long a side. */
int picture_check_size(size_t width, size_t height, double megapixels, struct message *message);

/* Gives *picture its size, which makes sense, and unset pixels; refuses no memory. */
int picture_allocate(struct picture *picture, size_t width, size_t height, struct message *message);

/* Turns and mirrors the picture as the EXIF orientation (1..8) asks, so that it stands upright. */
int picture_orient(struct picture *picture, int orientation, struct message *message);

/* Frees the pixels and sets *picture to zero; an all-zero picture is fine. */
void picture_free(struct picture *picture);

#endif
