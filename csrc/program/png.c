/* png.c: PNG by libpng. */
#include "codec.h"

#ifdef MTCNN_PNG

#include <png.h>
#include <setjmp.h>
#include <stdbool.h>
#include <string.h>

#include "exif.h"

/* What libpng's error callback sees. */
struct png_errors {
    const char *task; /* what fails when libpng does */
    struct message *message;
};

/* The bytes not yet read. */
struct png_bytes {
    const uint8_t *next;
    size_t left, size; /* of them, of all */
    double megapixels; /* the most that are read */
    struct message *message;
    bool pixels_read; /* all of them: what is missing from then on does not matter */
    bool ended;       /* the file did, before the picture */
};

static void on_error(png_structp png, png_const_charp text)
{
    const struct png_errors *errors = png_get_error_ptr(png);
    message_set(errors->message, "%s: %s", errors->task, text);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
    (void)png; /* oddities of ancillary chunks, which are not asked for */
    (void)text;
}

static void on_read(png_structp png, png_bytep target, size_t length)
{
    struct png_bytes *bytes = png_get_io_ptr(png);
    if (length > bytes->left) {
        if (bytes->pixels_read)
            picture_lacks_end(bytes->message);
        else
            picture_truncated("PNG", bytes->message);
        bytes->ended = true;
        png_longjmp(png, 1);
    }
    memcpy(target, bytes->next, length);
    bytes->next += length;
    bytes->left -= length;
}

/* Deflate packs at most 1032 bytes into one. */
static int check_bytes(png_structp png, png_infop info, const struct png_bytes *bytes)
{
    const size_t width = png_get_image_width(png, info), height = png_get_image_height(png, info);
    if ((double)png_get_rowbytes(png, info) * (double)height > 1032.0 * (double)bytes->size)
        return picture_too_few_bytes(width, height, bytes->size, bytes->message);
    return 0;
}

/* Lives in a function of its own, without locals that longjmp could spoil. */
static int decode_guarded(png_structp png, png_infop info, struct png_bytes *bytes,
                          struct picture *picture, int *orientation)
{
    if (setjmp(png_jmpbuf(png)))
        return bytes->pixels_read && bytes->ended ? 0 : -1;
    png_set_read_fn(png, bytes, on_read);
    png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX); /* ours are below */
    png_read_info(png, info);
    const size_t width = png_get_image_width(png, info), height = png_get_image_height(png, info);
    if (picture_check_size(width, height, bytes->megapixels, bytes->message) ||
        check_bytes(png, info, bytes) || picture_allocate(picture, width, height, bytes->message))
        return -1;

    /* Whatever it holds, to 8-bit RGB: palettes and 1, 2, 4 bits expanded, of 16 bits the upper 8
       (as OpenCV does), grey tripled, transparency dropped. */
    png_set_expand(png);
    png_set_strip_16(png);
    png_set_gray_to_rgb(png);
    png_set_strip_alpha(png);
    int passes = png_set_interlace_handling(png);
    png_read_update_info(png, info);
    const size_t row_bytes = (size_t)3 * (size_t)picture->width;
    if (png_get_rowbytes(png, info) != row_bytes)
        return message_set(bytes->message, "is a PNG whose pixels cannot be made RGB");
    while (passes-- > 0)
        for (int y = 0; y < picture->height; y++)
            png_read_row(png, picture->pixels + row_bytes * (size_t)y, NULL);

    bytes->pixels_read = true;
    png_read_end(png, info); /* the eXIf chunk may also stand after the pixels */
    png_bytep exif = NULL;
    png_uint_32 exif_size = 0;
    if (png_get_eXIf_1(png, info, &exif_size, &exif) && exif)
        *orientation = exif_orientation(exif, exif_size);
    return 0;
}

static int png_decode(struct picture *picture, int *orientation, const uint8_t *bytes, size_t size,
                      double megapixels, struct message *message)
{
    struct png_bytes unread = {
        .next = bytes, .left = size, .size = size, .megapixels = megapixels, .message = message};
    struct png_errors errors = {"cannot be read as PNG", message};
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &errors, on_error, on_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    int failed = info ? decode_guarded(png, info, &unread, picture, orientation)
                      : message_set(message, "no memory for reading a PNG");
    png_destroy_read_struct(&png, &info, NULL);
    return failed;
}

static int encode_guarded(png_structp png, png_infop info, const struct picture *picture,
                          FILE *file)
{
    if (setjmp(png_jmpbuf(png)))
        return -1;
    png_init_io(png, file);
    png_set_IHDR(png, info, (png_uint_32)picture->width, (png_uint_32)picture->height, 8,
                 PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    for (int y = 0; y < picture->height; y++)
        png_write_row(png, picture->pixels + (size_t)3 * (size_t)picture->width * (size_t)y);
    png_write_end(png, info);
    return 0;
}

static int png_encode(const struct picture *picture, FILE *file, struct message *message)
{
    struct png_errors errors = {"cannot be written as PNG", message};
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &errors, on_error, on_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    int failed = info ? encode_guarded(png, info, picture, file)
                      : message_set(message, "no memory for writing a PNG");
    png_destroy_write_struct(&png, &info);
    return failed;
}

#else /* built without libpng */

#define png_encode NULL

static int png_decode(struct picture *picture, int *orientation, const uint8_t *bytes, size_t size,
                      double megapixels, struct message *message)
{
    (void)picture, (void)orientation, (void)bytes, (void)size, (void)megapixels;
    return message_set(message, CODEC_LEFT_OUT("PNG", "libpng", "PNG"));
}

#endif

const struct codec png_codec = {
    .kind = "PNG",
    .decode = png_decode,
    .encode = png_encode,
    .extensions = {".png", NULL},
};
