#include "error.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

int mt_fail(mtcnn_error *error, int status, const char *format, ...)
{
    if (error) {
        va_list args;
        va_start(args, format);
        vsnprintf(error->message, sizeof error->message, format, args);
        va_end(args);
        /* One line whatever is in a file's name. */
        for (char *c = error->message; *c; c++)
            if (iscntrl((unsigned char)*c))
                *c = '?';
    }
    return status;
}

int mt_fail_memory(mtcnn_error *error, const char *what, size_t bytes)
{
    return mt_fail(error, MTCNN_ERROR_MEMORY,
                   "no memory for %s (%zu bytes); free some, or use a smaller picture or a larger "
                   "min_face",
                   what, bytes);
}

void mt_clear(mtcnn_error *error)
{
    if (error)
        error->message[0] = '\0';
}

const char *mtcnn_strerror(int status)
{
    switch (status) {
    case MTCNN_OK: return "success";
    case MTCNN_ERROR_ARGUMENT: return "an argument is out of range";
    case MTCNN_ERROR_MEMORY: return "out of memory";
    case MTCNN_ERROR_FILE: return "a file cannot be read";
    case MTCNN_ERROR_CFG: return "a .cfg or .data file makes no sense";
    case MTCNN_ERROR_WEIGHTS: return "a .weights file does not fit its .cfg";
    case MTCNN_ERROR_MODEL: return "no usable model";
    default: return "unknown status";
    }
}

#define TEXT_OF(tokens) #tokens
#define TEXT(macro) TEXT_OF(macro)

const char *mtcnn_version(void)
{
    return TEXT(MTCNN_VERSION_MAJOR) "." TEXT(MTCNN_VERSION_MINOR) "." TEXT(MTCNN_VERSION_PATCH);
}
