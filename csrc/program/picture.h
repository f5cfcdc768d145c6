/*
 * picture.h: pictures in memory.
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

/* Refuses pictures of no pixels, of more than so many megapixels, or with too long a side. */
int picture_check_size(size_t width, size_t height, double megapixels, struct message *message);

/* Says that a file of so many bytes cannot hold the pixels that it claims; returns -1. */
int picture_too_few_bytes(size_t width, size_t height, size_t bytes, struct message *message);

/* Says that a file of this kind is cut off within its pixels; returns -1. */
int picture_truncated(const char *kind, struct message *message);

/* The warning about a file that is cut off behind its pixels; returns 0. */
int picture_lacks_end(struct message *message);

/* Gives *picture its size, which makes sense, and unset pixels; refuses no memory. */
int picture_allocate(struct picture *picture, size_t width, size_t height, struct message *message);

/* Turns and mirrors the picture as the EXIF orientation (1..8) asks, so that it stands upright. */
int picture_orient(struct picture *picture, int orientation, struct message *message);

/* Frees the pixels and sets *picture to zero; an all-zero picture is fine. */
void picture_free(struct picture *picture);

#endif
