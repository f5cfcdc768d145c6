/* standard_output.h: stdout, which may be a full disk or a pipe without a reader. */
#ifndef MTCNN_PROGRAM_STANDARD_OUTPUT_H
#define MTCNN_PROGRAM_STANDARD_OUTPUT_H

#include <stddef.h>

/* Hands size bytes to stdout's reader now: 0, or -1 where it did not take them, now or before. */
int standard_output_write(const char *text, size_t size);

/*
 * Closes stdout: 0, or errno's cause where it did not take everything, which is reported on stderr,
 * except for EPIPE: a pipe that its reader closed.
 */
int standard_output_close(void);

#endif
