#include "standard_output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "message.h"

static int cause; /* errno of the first write that failed; 0: none */

int standard_output_write(const char *text, size_t size)
{
    if (!cause && (fwrite(text, 1, size, stdout) < size || fflush(stdout)))
        cause = errno;
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
    return -1;
}
