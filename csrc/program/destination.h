/* destination.h: where what is made of each picture goes: annotated copies, crops, predictions. */
#ifndef MTCNN_PROGRAM_DESTINATION_H
#define MTCNN_PROGRAM_DESTINATION_H

#include <stdbool.h>

#include "inputs.h"
#include "message.h"

/* A file for each picture, or a folder for all of them. */
struct destination {
    const char *path; /* as the command line names it; NULL: nothing is saved */
    const struct inputs *inputs;
    bool folder; /* path is a folder, which gets one file for each picture */
};

/*
 * Understands path (NULL: nothing is saved) for the annotated copies of the inputs: a folder where
 * there are several, or path is one or ends in '/'. -1, with the cause, where path cannot serve:
 * an unknown extension, or two pictures of the same name. Touches no file.
 */
int destination_plan(struct destination *destination, const char *path, const struct inputs *inputs,
                     struct message *message);

/*
 * The annotated copy's file, a string to be freed, whose folder is there: in a folder, a PNG file
 * for each picture whose own name is not one that can be written. NULL, with the cause in *message,
 * where it cannot be one: an unknown extension, or one of the inputs, which are never overwritten.
 */
char *destination_of(const struct destination *destination, const struct input *input,
                     struct message *message);

/* The name of the picture without its extension, to be freed; NULL: no memory. */
char *destination_stem(const char *name);

/*
 * -1, with the cause, if two inputs get the same name, and would overwrite each other, or memory
 * runs out. name_of: a string to be freed, or NULL, of an input.
 */
int destination_refuse_same_names(const struct inputs *inputs,
                                  char *(*name_of)(const struct input *input),
                                  struct message *message);

#endif
