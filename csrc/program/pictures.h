/* pictures.h: what the program does with each of its pictures, several at a time. */
#ifndef MTCNN_PROGRAM_PICTURES_H
#define MTCNN_PROGRAM_PICTURES_H

#include "arguments.h"
#include "inputs.h"

/*
 * Finds the faces of all inputs, prints them in the inputs' order, and writes the files that the
 * command line asks for. Returns the program's exit status; errors were printed on stderr.
 */
int pictures_run(const struct arguments *arguments, const struct inputs *inputs,
                 const mtcnn_model *model);

#endif
