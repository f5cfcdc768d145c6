/* error.h: status codes with a sentence for the person who has to mend it. */
#ifndef MT_ERROR_H
#define MT_ERROR_H

#include "mtcnn.h"

/* Writes the printf-like sentence into *error (may be NULL), cut to fit, and returns status. */
#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
int mt_fail(mtcnn_error *error, int status, const char *format, ...);

/* MTCNN_ERROR_MEMORY with its one wording; what: the thing that did not fit, bytes: its size. */
int mt_fail_memory(mtcnn_error *error, const char *what, size_t bytes);

/* Adds a blank and a name to a list for a message, as long as there is room. */
void mt_list_name(char *list, size_t size, const char *name);

/* Empties the message: every public function does so first. */
void mt_clear(mtcnn_error *error);

#endif
