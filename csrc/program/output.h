/* output.h: the library's forms of output, written to streams. */
#ifndef MTCNN_PROGRAM_OUTPUT_H
#define MTCNN_PROGRAM_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

#include "mtcnn.h"

/* In place of a stage 0..2: the cascade's own result, ONet's faces clipped as the options say. */
#define STAGE_FINAL (-1)

/* PNet and RNet find boxes alone. */
bool output_has_landmarks(int stage);

/* How many faces were found. */
int output_count(const mtcnn_findings *findings);

/* What mtcnn_format writes, [*length] and a zero, to be freed; NULL: no memory. */
char *output_text(mtcnn_form form, const mtcnn_findings *findings, size_t *length);

/* Writes it to a stream, whose state says whether that worked. -1: no memory. */
int output_write(FILE *stream, mtcnn_form form, const mtcnn_findings *findings);

#endif
