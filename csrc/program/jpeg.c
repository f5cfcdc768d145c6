/* jpeg.c: JPEG by libjpeg(-turbo). */
#include "codec.h"

#ifdef MTCNN_JPEG

#include <setjmp.h>
#include <stdio.h>

#include <jpeglib.h>

#include <jerror.h>

#include "exif.h"

#define QUALITY 92

/* libjpeg's error manager, with the way out that it needs instead of exit(). */
struct jpeg_errors {
    struct jpeg_error_mgr manager; /* first, so that libjpeg's pointer is ours */
    const char *task;              /* what fails when libjpeg does */
    struct message *message;
    jmp_buf out;
};

static void on_error(j_common_ptr codec)
{
    struct jpeg_errors *errors = (struct jpeg_errors *)codec->err;
    char text[JMSG_LENGTH_MAX];
    codec->err->format_message(codec, text);
    message_set(errors->message, "%s: %s", errors->task, text);
    longjmp(errors->out, 1);
}

/* level -1 is a warning, others are traces. libjpeg would go on with grey in place of the rest. */
static void on_message(j_common_ptr codec, int level)
{
    struct jpeg_errors *errors = (struct jpeg_errors *)codec->err;
    if (level >= 0)
        return;
    switch (codec->err->msg_code) {
    case JWRN_JPEG_EOF:
        message_set(errors->message, "is a truncated JPEG: the end of the file is missing");
        longjmp(errors->out, 1);
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_MUST_RESYNC:
        message_set(errors->message, "is a damaged JPEG, parts of the picture are wrong");
        break;
    default: break; /* oddities that do not touch the pixels */
    }
}

static struct jpeg_error_mgr *jpeg_errors(struct jpeg_errors *errors, const char *task,
                                          struct message *message)
{
    struct jpeg_error_mgr *manager = jpeg_std_error(&errors->manager);
    manager->error_exit = on_error;
    manager->emit_message = on_message;
    errors->task = task;
    errors->message = message;
    return manager;
}

/* The first APP1 segment with Exif data counts; others hold XMP. */
static int orientation_of(const struct jpeg_decompress_struct *jpeg)
{
    for (jpeg_saved_marker_ptr marker = jpeg->marker_list; marker; marker = marker->next) {
        int orientation = exif_orientation_app1(marker->data, marker->data_length);
        if (orientation)
            return orientation;
    }
    return 1;
}

/* Lives in a function of its own, without locals that longjmp could spoil. */
static int decode_guarded(struct jpeg_decompress_struct *jpeg, struct jpeg_errors *errors,
                          struct picture *picture, int *orientation, const uint8_t *bytes,
                          size_t size, double megapixels)
{
    if (setjmp(errors->out))
        return -1;
    jpeg_create_decompress(jpeg);
    jpeg_mem_src(jpeg, bytes, (unsigned long)size);
    jpeg_save_markers(jpeg, JPEG_APP0 + 1, 0xffff);
    jpeg_read_header(jpeg, TRUE);
    if (jpeg->jpeg_color_space == JCS_CMYK || jpeg->jpeg_color_space == JCS_YCCK)
        return message_set(errors->message,
                           "is a CMYK JPEG, whose colours need a profile; save it as RGB");
    if (picture_check_size(jpeg->image_width, jpeg->image_height, megapixels, errors->message) ||
        picture_allocate(picture, jpeg->image_width, jpeg->image_height, errors->message))
        return -1;
    *orientation = orientation_of(jpeg);
    jpeg->out_color_space = JCS_RGB;
    jpeg_start_decompress(jpeg);
    while (jpeg->output_scanline < jpeg->output_height) {
        JSAMPROW row = picture->pixels + (size_t)3 * jpeg->output_scanline * jpeg->output_width;
        jpeg_read_scanlines(jpeg, &row, 1);
    }
    jpeg_finish_decompress(jpeg);
    return 0;
}

static int jpeg_decode(struct picture *picture, int *orientation, const uint8_t *bytes, size_t size,
                       double megapixels, struct message *message)
{
    struct jpeg_decompress_struct jpeg = {0};
    struct jpeg_errors errors;
    jpeg.err = jpeg_errors(&errors, "cannot be read as JPEG", message);
    int failed = decode_guarded(&jpeg, &errors, picture, orientation, bytes, size, megapixels);
    jpeg_destroy_decompress(&jpeg);
    return failed;
}

static int encode_guarded(struct jpeg_compress_struct *jpeg, struct jpeg_errors *errors,
                          const struct picture *picture, FILE *file)
{
    if (setjmp(errors->out))
        return -1;
    jpeg_create_compress(jpeg);
    jpeg_stdio_dest(jpeg, file);
    jpeg->image_width = (JDIMENSION)picture->width;
    jpeg->image_height = (JDIMENSION)picture->height;
    jpeg->input_components = 3;
    jpeg->in_color_space = JCS_RGB;
    jpeg_set_defaults(jpeg);
    jpeg_set_quality(jpeg, QUALITY, TRUE);
    jpeg_start_compress(jpeg, TRUE);
    while (jpeg->next_scanline < jpeg->image_height) {
        JSAMPROW row = picture->pixels + (size_t)3 * jpeg->next_scanline * jpeg->image_width;
        jpeg_write_scanlines(jpeg, &row, 1);
    }
    jpeg_finish_compress(jpeg);
    return 0;
}

static int jpeg_encode(const struct picture *picture, FILE *file, struct message *message)
{
    struct jpeg_compress_struct jpeg = {0};
    struct jpeg_errors errors;
    jpeg.err = jpeg_errors(&errors, "cannot be written as JPEG", message);
    int failed = encode_guarded(&jpeg, &errors, picture, file);
    jpeg_destroy_compress(&jpeg);
    return failed;
}

#else /* built without libjpeg */

#define jpeg_encode NULL

static int jpeg_decode(struct picture *picture, int *orientation, const uint8_t *bytes, size_t size,
                       double megapixels, struct message *message)
{
    (void)picture, (void)orientation, (void)bytes, (void)size, (void)megapixels;
    return message_set(message, CODEC_LEFT_OUT("JPEG", "libjpeg", "JPEG"));
}

#endif

const struct codec jpeg_codec = {
    .extensions = {".jpg", ".jpeg", NULL},
    .magic_length = 3,
    .magic = "\xff\xd8\xff",
    .decode = jpeg_decode,
    .encode = jpeg_encode,
};
