/* codec.h: what a picture format must offer; picture_file.c holds the table of them. */
#ifndef MTCNN_PROGRAM_CODEC_H
#define MTCNN_PROGRAM_CODEC_H

#include <stdio.h>

#include "picture.h"

struct codec {
    const char *kind; /* of its files, as mtcnn_picture_kind names it */

    /*
     * Decodes the bytes into a picture that the caller frees, also after a failure; *orientation
     * becomes 1..8. Asks picture_check_size as soon as the size is known. Success may leave a
     * warning in *message.
     */
    int (*decode)(struct picture *picture, int *orientation, const uint8_t *bytes, size_t size,
                  double megapixels, struct message *message);

    /*
     * Writes to file; stops at the first error of file itself, which its owner reports. NULL where
     * the format is only read.
     */
    int (*encode)(const struct picture *picture, FILE *file, struct message *message);
    const char *extensions[3]; /* of what encode writes: lower case, with the dot; NULL ends them */
};

/* The message of a format whose library the program is built without, as CMake's option names it.
 */
#define CODEC_LEFT_OUT(format, library, option) \
    "is a " format " picture, for which this mtcnn would need " library \
    ", without which it was built; convert it, or build with -DMTCNN_PROGRAM_" option "=ON"

extern const struct codec jpeg_codec, png_codec;                        /* jpeg.c, png.c */
extern const struct codec webp_codec, bmp_codec, tiff_codec, gif_codec; /* by FFmpeg */
extern const struct codec heic_codec, avif_codec;                       /* heif.c */

#endif
