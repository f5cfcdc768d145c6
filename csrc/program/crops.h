/* crops.h: aligned crops of the faces, as PNG files. */
#ifndef MTCNN_PROGRAM_CROPS_H
#define MTCNN_PROGRAM_CROPS_H

#include <stdio.h>

#include "inputs.h"
#include "message.h"
#include "mtcnn.h"
#include "picture.h"

/* -1, with the cause, if two inputs' crops would overwrite each other. */
int crops_plan(const struct inputs *inputs, struct message *message);

/*
 * Writes <folder>/<the input's name without extension>_<i>.png for faces[count], side pixels large,
 * by mtcnn_align. Folders are made if missing, inputs are never overwritten. -1 at the first that
 * fails, which is told on errors.
 */
int crops_write(const char *folder, const struct inputs *inputs, const struct input *input,
                const struct picture *picture, const mtcnn_face *faces, int count, int side,
                FILE *errors);

#endif
