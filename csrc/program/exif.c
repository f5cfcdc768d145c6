#include "exif.h"

#include <string.h>

/* A TIFF block; every read is checked against its size. */
struct tiff {
    const uint8_t *bytes;
    size_t size;
    int big_endian;
};

#define HEADER 8 /* bytes: order "II" or "MM", 42, offset of the first directory */
#define ENTRY 12 /* bytes of a directory entry: tag, type, count, value */
#define ORIENTATION 0x0112
#define SHORT 3

/* The unsigned number of 2 or 4 bytes at offset; -1 where the block ends before. */
static int64_t number(const struct tiff *tiff, size_t offset, size_t length)
{
    if (offset > tiff->size || length > tiff->size - offset)
        return -1;
    int64_t value = 0;
    for (size_t i = 0; i < length; i++)
        value = value << 8 | tiff->bytes[offset + (tiff->big_endian ? i : length - 1 - i)];
    return value;
}

int exif_orientation(const uint8_t *bytes, size_t size)
{
    struct tiff tiff = {bytes, size, 0};
    if (size < HEADER)
        return 1;
    if (!memcmp(bytes, "MM", 2))
        tiff.big_endian = 1;
    else if (memcmp(bytes, "II", 2))
        return 1;
    if (number(&tiff, 2, 2) != 42)
        return 1;

    size_t directory = (size_t)number(&tiff, 4, 4); /* below 2^32, and size >= HEADER */
    int64_t entries = number(&tiff, directory, 2);
    if (entries < 0)
        return 1;
    /* directory < size here, so the sums below stay far from SIZE_MAX */
    for (int64_t i = 0; i < entries; i++) {
        size_t entry = directory + 2 + (size_t)i * ENTRY;
        if (entry > size || ENTRY > size - entry)
            return 1;
        if (number(&tiff, entry, 2) != ORIENTATION || number(&tiff, entry + 2, 2) != SHORT ||
            number(&tiff, entry + 4, 4) != 1)
            continue;
        int64_t value = number(&tiff, entry + 8, 2);
        return value >= 1 && value <= 8 ? (int)value : 1;
    }
    return 1;
}

int exif_orientation_app1(const uint8_t *segment, size_t size)
{
    static const uint8_t prefix[6] = {'E', 'x', 'i', 'f', 0, 0};
    if (size < sizeof prefix || memcmp(segment, prefix, sizeof prefix))
        return 0;
    return exif_orientation(segment + sizeof prefix, size - sizeof prefix);
}
