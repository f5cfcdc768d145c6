/* codec.h: what a picture format must offer; picture_file.c holds the table of them. */
#ifndef MTCNN_PROGRAM_CODEC_H
#define MTCNN_PROGRAM_CODEC_H

#include <stdio.h>

#include "picture.h"

struct codec {
    const char *extensions[3]; /* lower case, with the dot; NULL ends them, if any */
    size_t magic_length;
    const char *magic; /* [magic_length]: the first bytes of every such file; '?': any byte */

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
};

/* The message of a format whose library the program is built without, as CMake's option names it.
 */
#define CODEC_LEFT_OUT(format, library, option) \
    "is a " format " picture, for which this mtcnn would need " library \
    ", without which it was built; convert it, or build with -DMTCNN_PROGRAM_" option "=ON"

extern const struct codec jpeg_codec; /* jpeg.c */
extern const struct codec png_codec;  /* png.c */

extern const struct codec webp_codec, bmp_codec, tiff_codec, big_endian_tiff_codec,
    gif_codec; /* ffmpeg_codecs.c */

#endif
