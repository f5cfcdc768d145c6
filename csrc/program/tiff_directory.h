/*
 * tiff_directory.h: the first directory of a TIFF file, the form that Exif data have, too. Every
 * read is checked against the file's size.
 */
#ifndef MTCNN_PROGRAM_TIFF_DIRECTORY_H
#define MTCNN_PROGRAM_TIFF_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tiff_directory {
    const uint8_t *bytes;
    size_t size;
    bool big_endian;
    size_t first, count; /* of the entries: offset of the first one, and number */
};

enum tiff_type { TIFF_BYTE = 1, TIFF_SHORT = 3, TIFF_LONG = 4 };

/* What a directory says under a tag; all zero where it has no such tag, or a damaged one. */
struct tiff_entry {
    enum tiff_type type;
    size_t count;  /* of values */
    size_t offset; /* of the first value */
};

/* Finds the first directory; one of no entries where bytes[size] make no sense. */
struct tiff_directory tiff_open(const uint8_t *bytes, size_t size);

/* The first entry with the tag. Values that lie outside the file, and other types, are none. */
struct tiff_entry tiff_find(const struct tiff_directory *directory, unsigned tag);

/* An entry's value at index, below entry->count. */
uint32_t tiff_value(const struct tiff_directory *directory, const struct tiff_entry *entry,
                    size_t index);

/* The tag's first value, or fallback. */
uint32_t tiff_first(const struct tiff_directory *directory, unsigned tag, uint32_t fallback);

#endif
