/* jpeg.c: JPEG by libjpeg(-turbo). */
#include "codec.h"

#ifdef MTCNN_JPEG

#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>

#include <jpeglib.h>

#include <jerror.h>

#include "exif.h"

#define QUALITY 92

/* Neither cameras nor programs write as many; each costs the time of the whole picture. */
#define MAX_SCANS 100

/* libjpeg's error manager, with the way out that it needs instead of exit(). */
struct jpeg_errors {
    struct jpeg_error_mgr manager; /* first, so that libjpeg's pointer is ours */
    const char *task;              /* what fails when libjpeg does */
    struct message *message;
    bool ended, damaged; /* the file ended before its end marker; parts of the picture are wrong */
    jmp_buf out;
};

static void on_error(j_common_ptr codec)
{
    struct jpeg_errors *errors = (struct jpeg_errors *)codec->err;
    char text[JMSG_LENGTH_MAX];
    codec->err->format_message(codec, text);
    if (errors->ended)
        picture_truncated("JPEG", errors->message);
    else
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
    case JWRN_JPEG_EOF: errors->ended = true; break;
    case JWRN_HIT_MARKER:
    case JWRN_HUFF_BAD_CODE:
    case JWRN_ARITH_BAD_CODE:
    case JWRN_MUST_RESYNC:
    case JWRN_BOGUS_PROGRESSION:
        errors->damaged = true;
        message_set(errors->message, "is a damaged JPEG, parts of the picture are wrong");
        break;
    default: break; /* oddities that do not touch the pixels */
    }
    if (errors->ended && errors->damaged) {
        picture_truncated("JPEG", errors->message);
        longjmp(errors->out, 1);
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

/* ---- reading --------------------------------------------------------------------------------- */

/* What is seen of a JPEG of several scans while libjpeg reads them all. */
struct jpeg_scans {
    struct jpeg_progress_mgr manager; /* first, so that libjpeg's pointer is ours */
    bool seen[MAX_COMPONENTS];        /* by a component's index: there was a scan of it */
};

static void on_progress(j_common_ptr codec)
{
    const struct jpeg_decompress_struct *jpeg = (struct jpeg_decompress_struct *)codec;
    struct jpeg_errors *errors = (struct jpeg_errors *)codec->err;
    struct jpeg_scans *scans = (struct jpeg_scans *)codec->progress;
    for (int i = 0; i < jpeg->comps_in_scan; i++)
        scans->seen[jpeg->cur_comp_info[i]->component_index] = true;
    if (jpeg->input_scan_number > MAX_SCANS) {
        message_set(errors->message,
                    "has more than %d scans, which no camera or program writes; save it anew",
                    MAX_SCANS);
        longjmp(errors->out, 1);
    }
}

/* Whether a component has no scan, or none of its mean values, so that libjpeg makes it grey. */
static bool lacks_component(struct jpeg_decompress_struct *jpeg)
{
    const struct jpeg_scans *scans = (struct jpeg_scans *)jpeg->progress;
    for (int i = 0; i < jpeg->num_components && jpeg_has_multiple_scans(jpeg); i++)
        if (!scans->seen[i] || (jpeg->coef_bits && jpeg->coef_bits[i][0] < 0))
            return true;
    return false;
}

/*
 * Whether scans bring all there is of each component: for a file without end marker, whose last
 * scan is whole. Arithmetic code goes on where a file ends, so it never shows that it is whole.
 */
static bool is_complete(struct jpeg_decompress_struct *jpeg)
{
    if (jpeg->arith_code || lacks_component(jpeg))
        return false;
    for (int i = 0; i < jpeg->num_components && jpeg->coef_bits; i++)
        for (int j = 0; j < DCTSIZE2; j++)
            if (jpeg->coef_bits[i][j]) /* bits that scans have left open */
                return false;
    return true;
}

/* Huffman code takes at least a bit for each block; of arithmetic code there is no least. */
static int check_bytes(const struct jpeg_decompress_struct *jpeg, size_t size,
                       struct message *message)
{
    double blocks = 0;
    for (int i = 0; i < jpeg->num_components; i++)
        blocks += (double)jpeg->comp_info[i].width_in_blocks * jpeg->comp_info[i].height_in_blocks;
    if (!jpeg->arith_code && blocks > 8.0 * (double)size)
        return picture_too_few_bytes(jpeg->image_width, jpeg->image_height, size, message);
    return 0;
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
                          struct jpeg_progress_mgr *scans, struct picture *picture,
                          int *orientation, const uint8_t *bytes, size_t size, double megapixels)
{
    if (setjmp(errors->out))
        return -1;
    jpeg_create_decompress(jpeg);
    jpeg->progress = scans;
    jpeg_mem_src(jpeg, bytes, (unsigned long)size);
    jpeg_save_markers(jpeg, JPEG_APP0 + 1, 0xffff);
    jpeg_read_header(jpeg, TRUE);
    if (jpeg->jpeg_color_space == JCS_CMYK || jpeg->jpeg_color_space == JCS_YCCK)
        return message_set(errors->message,
                           "is a CMYK JPEG, whose colours need a profile; save it as RGB");
    if (picture_check_size(jpeg->image_width, jpeg->image_height, megapixels, errors->message) ||
        check_bytes(jpeg, size, errors->message) ||
        picture_allocate(picture, jpeg->image_width, jpeg->image_height, errors->message))
        return -1;
    *orientation = orientation_of(jpeg);
    jpeg->out_color_space = JCS_RGB;
    jpeg_start_decompress(jpeg);
    while (jpeg->output_scanline < jpeg->output_height) {
        JSAMPROW row = picture->pixels + (size_t)3 * jpeg->output_scanline * jpeg->output_width;
        jpeg_read_scanlines(jpeg, &row, 1);
    }
    const bool complete = is_complete(jpeg), lacking = lacks_component(jpeg);
    jpeg_finish_decompress(jpeg);
    if (errors->ended && !complete)
        return picture_truncated("JPEG", errors->message);
    if (lacking)
        return message_set(errors->message, "is a damaged JPEG: the scan of a colour is missing");
    if (!errors->ended)
        return 0;
    message_set(errors->message,
                "lacks its end marker, as some cameras leave it out; all its pixels are there");
    return 0;
}

static int jpeg_decode(struct picture *picture, int *orientation, const uint8_t *bytes, size_t size,
                       double megapixels, struct message *message)
{
    struct jpeg_decompress_struct jpeg = {0};
    struct jpeg_scans scans = {.manager.progress_monitor = on_progress};
    struct jpeg_errors errors = {0};
    jpeg.err = jpeg_errors(&errors, "cannot be read as JPEG", message);
    int failed = decode_guarded(&jpeg, &errors, &scans.manager, picture, orientation, bytes, size,
                                megapixels);
    jpeg_destroy_decompress(&jpeg);
    return failed;
}

/* ---- writing --------------------------------------------------------------------------------- */

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
    struct jpeg_errors errors = {0};
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
    .kind = "JPEG",
    .decode = jpeg_decode,
    .encode = jpeg_encode,
    .extensions = {".jpg", ".jpeg", NULL},
};
