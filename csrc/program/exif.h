/* exif.h: the orientation that a camera noted in a picture's Exif data. */
#ifndef MTCNN_PROGRAM_EXIF_H
#define MTCNN_PROGRAM_EXIF_H

#include <stddef.h>
#include <stdint.h>

/*
 * The orientation (1..8) in a TIFF block of size bytes, the form that Exif data have in a PNG's
 * eXIf chunk; 1, upright, where there is none or the block makes no sense.
 */
int exif_orientation(const uint8_t *tiff, size_t size);

/* The same for the body of a JPEG's APP1 segment; 0 where that holds something else than Exif. */
int exif_orientation_app1(const uint8_t *segment, size_t size);

#endif
