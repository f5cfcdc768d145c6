/* destination.h: where the annotated pictures go. */
#ifndef MTCNN_PROGRAM_DESTINATION_H
#define MTCNN_PROGRAM_DESTINATION_H

#include <stdbool.h>

#include "message.h"

struct destination {
    const char *path; /* as the command line names it; NULL: nothing is saved */
    bool folder;      /* path is a folder, which gets one file for each picture */
};

/*
 * Understands path (NULL: nothing is saved) for the pictures at pictures[count]: a folder where
 * there are several, or path is one or ends in '/'. -1, with the cause, where path cannot serve:
 * an unknown extension, or two pictures of the same name. Touches no file.
 */
int destination_plan(struct destination *destination, const char *path, char *const *pictures,
                     int count, struct message *message);

/* Makes the folder, and those above it, where they are missing: 0, or -1 with the cause. */
int destination_make(const struct destination *destination, struct message *message);

/*
 * The file for picture, a string to be freed; NULL, with the cause in *message, where it cannot be
 * one: an unknown extension, or the picture itself, which is never overwritten.
 */
char *destination_of(const struct destination *destination, const char *picture,
                     struct message *message);

/* Whether both are one file, also through links and other spellings of the path. */
bool same_file(const char *a, const char *b);

#endif
