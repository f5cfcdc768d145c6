/* help.h: the help and the man page, both made from the list of options. */
#ifndef MTCNN_PROGRAM_HELP_H
#define MTCNN_PROGRAM_HELP_H

#include <stdio.h>

#include "mtcnn.h"

/* Prints the help. options: the default model's own settings, NULL where there is no model. */
void help_print(FILE *stream, const mtcnn_options *options);

/* Prints the manual page in man(7)'s language. */
void help_print_man(FILE *stream);

#endif
