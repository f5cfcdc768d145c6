/* output.h: the library's forms of output, written to streams. */
#ifndef MTCNN_PROGRAM_OUTPUT_H
#define MTCNN_PROGRAM_OUTPUT_H

#include <stdio.h>

#include "mtcnn.h"

/* What mtcnn_format writes, [*length] and a zero, to be freed; NULL: no memory. */
char *output_text(mtcnn_form form, const mtcnn_findings *findings, size_t *length);

/* Writes it to a stream, whose state says whether that worked. -1: no memory. */
int output_write(FILE *stream, mtcnn_form form, const mtcnn_findings *findings);

#endif
