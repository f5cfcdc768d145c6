/* predictions.h: faces in the form in which WIDER FACE's evaluation wants them. */
#ifndef MTCNN_PROGRAM_PREDICTIONS_H
#define MTCNN_PROGRAM_PREDICTIONS_H

#include <stdio.h>

#include "inputs.h"
#include "message.h"
#include "mtcnn.h"

/* -1, with the cause, if two inputs' predictions would overwrite each other. */
int predictions_plan(const struct inputs *inputs, struct message *message);

/*
 * Writes what was found in the input to <folder>/<event>/<name>.txt, with "event/name.jpg" for the
 * source. event is the name of the folder in which the picture lies. Folders are made if missing.
 * -1: the cause was written to errors.
 */
int predictions_write(const char *folder, const struct input *input, const mtcnn_findings *findings,
                      FILE *errors);

#endif
