/* reserved.h: the check of the room for later settings at the end of both option structs. */
#ifndef MT_RESERVED_H
#define MT_RESERVED_H

#include "error.h"

/* reserved: `bytes` long; options: the struct's name; defaults: the function that fills it. */
static inline int mt_check_reserved(const uint64_t *reserved, size_t bytes, const char *options,
                                    const char *defaults, mtcnn_error *error)
{
    for (size_t i = 0; i < bytes / sizeof *reserved; i++)
        if (reserved[i])
            return mt_fail(error, MTCNN_ERROR_ARGUMENT,
                           "%s: reserved[%zu] is not zero; start from %s, or, if the program was "
                           "compiled for a later version, use that library (this is %s)",
                           options, i, defaults, mtcnn_version());
    return MTCNN_OK;
}

#endif
