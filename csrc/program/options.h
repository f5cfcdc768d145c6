/* options.h: the one list of options: getopt, error messages, help and man page are made from it. */
#ifndef MTCNN_PROGRAM_OPTIONS_H
#define MTCNN_PROGRAM_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "arguments.h"

struct option_row {
    const char *group; /* heading of the help that this option begins, or NULL */
    const char *name;
    const char *argument; /* NULL: takes none */
    const char *takes;    /* the values allowed, with the unit; or why the option was refused */
    const char *help;
    const char *fallback; /* the default; NULL where there is none, or the model has it */
    int (*model_default)(char *text, size_t size, const mtcnn_options *options);
    bool (*read)(struct arguments *arguments, const char *value); /* false: not as takes says */
    enum arguments_wish wish;                                     /* WISH_DETECT: read is called */
};

#define OPTION_MOST 64 /* no more than so many */

extern const struct option_row option_rows[]; /* [option_count] */
extern const int option_count;

#endif
