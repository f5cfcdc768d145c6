#include "standard_output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "message.h"

static int cause; /* errno of the first write that failed; 0: none */

int standard_output_write(const char *text, size_t size)
{
    if (!cause && fflush(stdout))
        cause = errno;
    while (!cause && size) { /* not by stdio, which would lose text at a signal */
        const ssize_t written = write(STDOUT_FILENO, text, size);
        if (written >= 0) {
            text += written;
            size -= (size_t)written;
        } else if (errno != EINTR) {
            cause = errno;
        }
    }
    return cause ? -1 : 0;
}

int standard_output_close(void)
{
    if (ferror(stdout) && !cause)
        cause = EIO;
    if (fclose(stdout) && !cause)
        cause = errno;
    if (!cause)
        return 0;
    struct message message;
    message_set(&message, "cannot be written: %s", strerror(cause));
    if (cause != EPIPE)
        message_print("standard output", message.text);
    return cause;
}
