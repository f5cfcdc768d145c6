/* What kind of picture a file holds, by its first bytes and its name: a public function. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "mtcnn.h"

static const char camera_raw[] = "camera raw", tiff[] = "TIFF", heic[] = "HEIC", avif[] = "AVIF";

static const struct kind {
    const char *name;
    const char *magic; /* [length]: the first bytes of every such file; '?': any byte */
    size_t length;
    const char *endings; /* of their names, in lower case */
} kinds[] = {
#define MAGIC(bytes) bytes, sizeof bytes - 1
    {"JPEG", MAGIC("\xff\xd8\xff"), ".jpg .jpeg .jpe .jfif .mpo"},
    {"PNG", MAGIC("\x89PNG\r\n\x1a\n"), ".png .apng"},
    {"WebP", MAGIC("RIFF\?\?\?\?WEBP"), ".webp"},
    {"BMP", MAGIC("BM\?\?\?\?\0\0\0\0"), ".bmp .dib"},
    {camera_raw, MAGIC("II*\0\?\?\?\?CR"),
     ".3fr .arw .cr2 .cr3 .dcr .dng .erf .iiq .kdc .mef .nef .nrw .orf .pef .raf .rw2 .rwl .srw"},
    {tiff, MAGIC("II*\0"), ".tif .tiff"},
    {tiff, MAGIC("MM\0*"), ""},
    {"BigTIFF", MAGIC("II+\0"), ""},
    {"BigTIFF", MAGIC("MM\0+"), ""},
    {"GIF", MAGIC("GIF8\?a"), ".gif"},
    {heic, MAGIC("\?\?\?\?ftyphe"), ".heic .heif .hif"},
    {avif, MAGIC("\?\?\?\?ftypavi"), ".avif"},
    {camera_raw, MAGIC("\?\?\?\?ftypcrx"), ""},
    {camera_raw, MAGIC("FUJIFILMCCD-RAW"), ""},
    {camera_raw, MAGIC("IIRO"), ""},
    {camera_raw, MAGIC("IIRS"), ""},
    {camera_raw, MAGIC("MMOR"), ""},
    {camera_raw, MAGIC("IIU\0"), ""},
    {"JPEG 2000", MAGIC("\0\0\0\x0cjP  \r\n\x87\n"), ".jp2 .j2k .jpf .jpx"},
    {"JPEG 2000", MAGIC("\xff\x4f\xff\x51"), ""},
    {"JPEG XL", MAGIC("\0\0\0\x0cJXL \r\n\x87\n"), ".jxl"},
    {"JPEG XL", MAGIC("\xff\x0a"), ""},
    {"PNM", NULL, 0, ".pbm .pgm .pnm .ppm"},
#undef MAGIC
};
#define KINDS (sizeof kinds / sizeof *kinds)

/* ---- by the name ----------------------------------------------------------------------------- */

static bool name_ends_as(const char *name, const struct kind *kind)
{
    char ending[8] = "";
    const char *dot = strrchr(name, '.');
    if (!dot || dot == name || dot[-1] == '/' || strlen(dot) >= sizeof ending)
        return false;
    for (int i = 0; dot[i]; i++)
        ending[i] = dot[i] >= 'A' && dot[i] <= 'Z' ? (char)(dot[i] - 'A' + 'a') : dot[i];
    const size_t length = strlen(ending);
    for (const char *found = kind->endings; (found = strstr(found, ending)); found += length)
        if (found[length] == ' ' || !found[length])
            return true;
    return false;
}

static const char *kind_of_name(const char *name)
{
    for (size_t i = 0; i < KINDS; i++)
        if (name_ends_as(name, &kinds[i]))
            return kinds[i].name;
    return NULL;
}

/* ---- by the bytes ---------------------------------------------------------------------------- */

static bool begins_as(const uint8_t *bytes, size_t size, const struct kind *kind)
{
    if (!kind->length || size < kind->length)
        return false;
    for (size_t i = 0; i < kind->length; i++)
        if (kind->magic[i] != '?' && (uint8_t)kind->magic[i] != bytes[i])
            return false;
    return true;
}

/* "P6", a blank, a digit or a comment: a text may begin with the first two. */
static bool is_pnm(const uint8_t *bytes, size_t size)
{
    return size >= 4 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '6' &&
           (bytes[2] == '\n' || bytes[2] == ' ' || bytes[2] == '\r' || bytes[2] == '\t') &&
           ((bytes[3] >= '0' && bytes[3] <= '9') || bytes[3] == '#');
}

/* MIAF files (ISO/IEC 23000-22) name their codec among the brands behind the first one. */
static const char *kind_of_brands(const uint8_t *bytes, size_t size)
{
    if (size < 12 || memcmp(bytes + 4, "ftypmi", 6))
        return size < 12 || memcmp(bytes + 4, "ftypmsf1", 8) ? NULL : heic;
    const size_t box = (size_t)bytes[2] << 8 | bytes[3];
    for (size_t at = 16; at + 4 <= size && at + 4 <= box; at += 4)
        if (!memcmp(bytes + at, "avi", 3))
            return avif;
    return heic;
}

static uint32_t number(const uint8_t *bytes, size_t count, bool big_endian)
{
    uint32_t value = 0;
    for (size_t i = 0; i < count; i++)
        value = value << 8 | bytes[big_endian ? i : count - 1 - i];
    return value;
}

/*
 * Whether a TIFF file's first directory is that of a small copy, as in the files of cameras, or has
 * a version of DNG; as far as the bytes go.
 */
static bool is_raw(const uint8_t *bytes, size_t size)
{
    enum { SUBFILE_TYPE = 254, REDUCED = 1, DNG_VERSION = 50706, ENTRY = 12 };
    const bool big_endian = bytes[0] == 'M';
    const size_t directory = size < 8 ? size : number(bytes + 4, 4, big_endian);
    if (directory > size - 2)
        return false;
    const size_t entries = number(bytes + directory, 2, big_endian);
    for (size_t i = 0, at = directory + 2; i < entries && at + ENTRY <= size; i++, at += ENTRY) {
        const uint32_t tag = number(bytes + at, 2, big_endian);
        if (tag == DNG_VERSION ||
            (tag == SUBFILE_TYPE && number(bytes + at + 8, 4, big_endian) & REDUCED))
            return true;
    }
    return false;
}

const char *mtcnn_picture_kind(const void *bytes, size_t size, const char *name)
{
    const char *by_name = name ? kind_of_name(name) : NULL;
    for (size_t i = 0; i < KINDS; i++) {
        if (!begins_as(bytes, size, &kinds[i]))
            continue;
        const bool raw = kinds[i].name == tiff && (by_name == camera_raw || is_raw(bytes, size));
        return raw ? camera_raw : kinds[i].name;
    }
    if (is_pnm(bytes, size))
        return "PNM";
    const char *by_brand = kind_of_brands(bytes, size);
    return by_brand ? by_brand : by_name;
}
