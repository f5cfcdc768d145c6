/* file_identity.h: what identifies a file, whatever links and spellings of its path lead to it. */
#ifndef MTCNN_PROGRAM_FILE_IDENTITY_H
#define MTCNN_PROGRAM_FILE_IDENTITY_H

#include <stdbool.h>
#include <sys/types.h>

struct file_identity {
    dev_t device;
    ino_t number;
};

/* false where there is no file at path. */
bool file_identify(const char *path, struct file_identity *file);

/* An order of struct file_identity, for qsort and bsearch. */
int file_compare(const void *a, const void *b);

/* Whether both paths are there, and lead to one file. */
bool same_file(const char *a, const char *b);

#endif
