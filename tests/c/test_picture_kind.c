/* What kind of picture first bytes and names stand for. */
#include "mtcnn.h"
#include "test.h"

/* The kind of a file of these first bytes, then zeros, and of this name. */
static const char *kind_of(const char *bytes, size_t size, const char *name)
{
    char head[MTCNN_PICTURE_HEAD] = {0};
    memcpy(head, bytes, size);
    const char *kind = mtcnn_picture_kind(head, sizeof head, name);
    return kind ? kind : "none";
}

#define CHECK_KIND(bytes, name, kind) CHECK_HOLDS(kind_of(bytes, sizeof bytes - 1, name), kind)

static void bytes_decide(void)
{
    CHECK_KIND("\xff\xd8\xff\xe0", "a.txt", "JPEG");
    CHECK_KIND("\x89PNG\r\n\x1a\n", "a.jpg", "PNG");
    CHECK_KIND("RIFF\x10\0\0\0WEBPVP8L", NULL, "WebP");
    CHECK_KIND("BM\x10\x20\x30\x40\0\0\0\0", NULL, "BMP");
    CHECK_KIND("GIF89a", NULL, "GIF");
    CHECK_KIND("GIF87a", NULL, "GIF");
    CHECK_KIND("MM\0*\0\0\0\x08", NULL, "TIFF");
    CHECK_KIND("II+\0", NULL, "BigTIFF");
    CHECK_KIND("\0\0\0\x18"
               "ftypheic",
               NULL, "HEIC");
    CHECK_KIND("\0\0\0\x18"
               "ftypavif",
               NULL, "AVIF");
    CHECK_KIND("\0\0\0\x1c"
               "ftypmif1\0\0\0\0mif1avifmiaf",
               NULL, "AVIF");
    CHECK_KIND("\0\0\0\x14"
               "ftypmif1\0\0\0\0mif1avif",
               NULL, "HEIC"); /* avif is behind the box */
    CHECK_KIND("\0\0\0\x18"
               "ftypcrx ",
               NULL, "camera raw");
    CHECK_KIND("\0\0\0\x0cjP  \r\n\x87\n", NULL, "JPEG 2000");
    CHECK_KIND("\xff\x0a", NULL, "JPEG XL");
    CHECK_KIND("P6\n640 480\n255\n", NULL, "PNM");
}

static void no_pictures(void)
{
    CHECK_KIND("\0\0\0\x18"
               "ftypisom",
               "a.mp4", "none");
    CHECK_KIND("\0\0\0\x18"
               "ftypqt  ",
               NULL, "none");
    CHECK_KIND("RIFF\x10\0\0\0AVI ", NULL, "none");
    CHECK_KIND("BM is how this text begins", "a.txt", "none");
    CHECK_KIND("P5 is a camera", NULL, "none");
    CHECK_KIND("{\"faces\": []}", "a.jpg.json", "none");
    CHECK_KIND("", "a.txt", "none");
    CHECK_KIND("", "jpg", "none");
    CHECK_KIND("", "a/.jpg", "none");
    CHECK_KIND("", "a.jp", "none");
    CHECK(!mtcnn_picture_kind(NULL, 0, NULL));
}

static void names_count_where_bytes_say_nothing(void)
{
    CHECK_KIND("", "folder/A.JPG", "JPEG");
    CHECK_KIND("<html>", "a.jfif", "JPEG");
    CHECK_KIND("", "a.heif", "HEIC");
    CHECK_HOLDS(mtcnn_picture_kind(NULL, 0, "a.tiff"), "TIFF");
}

/* A directory of entries of which one is tag, of type LONG and with the value. */
static const char *kind_of_tiff(const char *order, int tag, int value, const char *name)
{
    uint8_t head[64] = {0};
    const int big_endian = order[0] == 'M';
    memcpy(head, order, 2);
    head[big_endian ? 3 : 2] = 42;
    head[big_endian ? 7 : 4] = 8;
    head[big_endian ? 9 : 8] = 2; /* entries; the first is of zeros */
    uint8_t *entry = head + 10 + 12;
    entry[big_endian ? 0 : 1] = (uint8_t)(tag >> 8);
    entry[big_endian ? 1 : 0] = (uint8_t)tag;
    entry[big_endian ? 11 : 8] = (uint8_t)value;
    return mtcnn_picture_kind(head, sizeof head, name);
}

static void camera_raw(void)
{
    for (int i = 0; i < 2; i++) {
        const char *order = i ? "MM" : "II";
        CHECK_HOLDS(kind_of_tiff(order, 254, 0, "a.tif"), "TIFF");
        CHECK_HOLDS(kind_of_tiff(order, 254, 2, "a.tif"), "TIFF");
        CHECK_HOLDS(kind_of_tiff(order, 254, 1, NULL), "camera raw");
        CHECK_HOLDS(kind_of_tiff(order, 50706, 1, NULL), "camera raw");
        CHECK_HOLDS(kind_of_tiff(order, 256, 1, "IMG_1.NEF"), "camera raw");
    }
    CHECK_KIND("II*\0\x10\0\0\0CR\x02", "a.tif", "camera raw");
}

/* Nothing is read beyond the bytes that are there; a sanitizer would notice. */
static void few_bytes(void)
{
    static const char *const heads[] = {"\xff\xd8\xff\xe0", "II*\0\x08\0\0\0\xff\xff\xfe\0\x04\0",
                                        "MM\0*\xff\xff\xff\xff\0\0\0\0\0\0",
                                        ("\0\0\0\xff"
                                         "ftypmif1\0\0")};
    static const size_t sizes[] = {4, 14, 14, 14};
    for (int i = 0; i < 4; i++)
        for (size_t size = 0; size <= sizes[i]; size++) {
            char *copy = malloc(size ? size : 1);
            REQUIRE(copy);
            memcpy(copy, heads[i], size);
            const char *kind = mtcnn_picture_kind(copy, size, NULL);
            CHECK(!kind || size >= 3);
            free(copy);
        }
}

int main(void)
{
    bytes_decide();
    no_pictures();
    names_count_where_bytes_say_nothing();
    camera_raw();
    few_bytes();
    return test_end();
}
