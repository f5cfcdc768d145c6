#include "exif.h"

#include <string.h>

#include "tiff_directory.h"

#define ORIENTATION 0x0112

int exif_orientation(const uint8_t *bytes, size_t size)
{
    const struct tiff_directory directory = tiff_open(bytes, size);
    const struct tiff_entry entry = tiff_find(&directory, ORIENTATION);
    if (entry.type != TIFF_SHORT || entry.count != 1)
        return 1;
    const uint32_t value = tiff_value(&directory, &entry, 0);
    return value >= 1 && value <= 8 ? (int)value : 1;
}

int exif_orientation_app1(const uint8_t *segment, size_t size)
{
    static const uint8_t prefix[6] = {'E', 'x', 'i', 'f', 0, 0};
    if (size < sizeof prefix || memcmp(segment, prefix, sizeof prefix))
        return 0;
    return exif_orientation(segment + sizeof prefix, size - sizeof prefix);
}
