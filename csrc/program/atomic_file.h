/*
 * atomic_file.h: files that are there completely or not at all.
 *
 * The bytes go to a temporary file in the target's folder, which takes the target's name when all
 * of them are written, and is removed when anything fails, or when a signal ends the program. The
 * target of a link is what the link leads to, also where that is not there yet. A pipe or a device
 * is written into directly. Threads may write files of their own side by side.
 */
#ifndef MTCNN_PROGRAM_ATOMIC_FILE_H
#define MTCNN_PROGRAM_ATOMIC_FILE_H

#include <stdbool.h>
#include <stdio.h>

#include "message.h"

struct atomic_file {
    FILE *stream;     /* write here */
    const char *path; /* the caller's string */
    char *target;     /* where links from path lead to; NULL: path is a pipe or a device */
    const char *temporary;
    int place; /* in the list of temporary files */
};

/* Whether path is a pipe or a device, which takes bytes one after the other only. */
bool atomic_file_is_stream(const char *path);

/* Opens a temporary file beside path's target, or the stream: 0, or -1 with the cause. */
int atomic_file_open(struct atomic_file *file, const char *path, struct message *message);

/*
 * Closes the file and gives it its name. On -1 (the disk is full, say) nothing is left. Call it at
 * once after a write that failed, so that errno still has the cause.
 */
int atomic_file_commit(struct atomic_file *file, struct message *message);

/* Closes and removes the temporary file; what a stream got stays there. */
void atomic_file_abandon(struct atomic_file *file);

/* Says that the file cannot be written, for a cause of errno, and what helps; returns -1. */
int atomic_file_fail(struct message *message, int cause);

/* What atomic_file_open does first: a signal that ends the program removes the temporary files. */
void atomic_file_remove_on_signals(void);

#endif
