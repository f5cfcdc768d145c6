/* reserved.h: the check of the room for later settings at the end of both option structs. */
#ifndef MT_RESERVED_H
#define MT_RESERVED_H

#include "error.h"

/* Their members have one type and length. */
#define MT_RESERVED (sizeof(((mtcnn_options *)NULL)->reserved) / sizeof(uint64_t))

/* options: the struct's name; defaults: the function that fills it. */
static inline int mt_check_reserved(const uint64_t reserved[MT_RESERVED], const char *options,
                                    const char *defaults, mtcnn_error *error)
{
    for (size_t i = 0; i < MT_RESERVED; i++)
        if (reserved[i])
            return mt_fail(error, MTCNN_ERROR_ARGUMENT,
                           "%s: reserved[%zu] is not zero; start from %s, or, if the program was "
                           "compiled for a later version, use that library (this is %s)",
                           options, i, defaults, mtcnn_version());
    return MTCNN_OK;
}

#endif
