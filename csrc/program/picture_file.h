/*
 * picture_file.h: pictures from and to files: JPEG and PNG, and, where there is FFmpeg, from WebP,
 * BMP, TIFF and GIF (its first frame). What CMake left out is recognised and refused.
 *
 * Functions fail as those of picture.h do.
 */
#ifndef MTCNN_PROGRAM_PICTURE_FILE_H
#define MTCNN_PROGRAM_PICTURE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "message.h"
#include "picture.h"

/*
 * Reads a picture file, whose format its first bytes give, upright as its EXIF orientation says.
 * Path STANDARD_INPUT is standard input. A picture of more than so many megapixels is refused by
 * what its header says, before memory is taken for it.
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

/* Whether picture_write knows a format for path: 0, or -1 with the extensions that it knows. */
int picture_writable(const char *path, struct message *message);

/* The ending of what is written under a name of its own: ".png", or ".jpg" where PNG is left out.
 */
const char *picture_ending(void);

/* Writes path, as JPEG or PNG by its extension, completely or not at all (see atomic_file.h). */
int picture_write(const struct picture *picture, const char *path, struct message *message);

#endif
