#include "tiff_directory.h"

#include <string.h>

#define HEADER 8 /* bytes: order "II" or "MM", 42, offset of the first directory */
#define ENTRY 12 /* bytes of an entry: tag, type, count, value or its offset */

/* The unsigned number of up to 4 bytes at offset, which must be inside. */
static uint32_t number(const struct tiff_directory *directory, size_t offset, size_t length)
{
    uint32_t value = 0;
    for (size_t i = 0; i < length; i++)
        value = value << 8 |
                directory->bytes[offset + (directory->big_endian ? i : length - 1 - i)];
    return value;
}

struct tiff_directory tiff_open(const uint8_t *bytes, size_t size)
{
    struct tiff_directory none = {.bytes = bytes, .size = size}, directory = none;
    if (size < HEADER || (memcmp(bytes, "MM", 2) && memcmp(bytes, "II", 2)))
        return none;
    directory.big_endian = bytes[0] == 'M';
    const size_t start = number(&directory, 4, 4);
    if (number(&directory, 2, 2) != 42 || start > size - 2)
        return none;
    directory.first = start + 2;
    directory.count = number(&directory, start, 2);
    const size_t room = (size - directory.first) / ENTRY;
    if (directory.count > room)
        directory.count = room;
    return directory;
}

static size_t size_of_type(uint32_t type)
{
    return type == TIFF_BYTE ? 1 : type == TIFF_SHORT ? 2 : type == TIFF_LONG ? 4 : 0;
}

struct tiff_entry tiff_find(const struct tiff_directory *directory, unsigned tag)
{
    for (size_t i = 0, at = directory->first; i < directory->count; i++, at += ENTRY) {
        if (number(directory, at, 2) != tag)
            continue;
        const uint32_t type = number(directory, at + 2, 2);
        const size_t count = number(directory, at + 4, 4), size = size_of_type(type);
        const size_t offset = count * size <= 4 ? at + 8 : number(directory, at + 8, 4);
        if (size && offset <= directory->size && count <= (directory->size - offset) / size)
            return (struct tiff_entry){(enum tiff_type)type, count, offset};
        break;
    }
    return (struct tiff_entry){0};
}

uint32_t tiff_value(const struct tiff_directory *directory, const struct tiff_entry *entry,
                    size_t index)
{
    const size_t size = size_of_type(entry->type);
    return number(directory, entry->offset + index * size, size);
}

uint32_t tiff_first(const struct tiff_directory *directory, unsigned tag, uint32_t fallback)
{
    const struct tiff_entry entry = tiff_find(directory, tag);
    return entry.count ? tiff_value(directory, &entry, 0) : fallback;
}
