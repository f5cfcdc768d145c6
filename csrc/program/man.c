/* man.c: prints the manual page, when the program is built; see help.h. */
#include <stdio.h>
#include <stdlib.h>

#include "help.h"

int main(void)
{
    help_print_man(stdout);
    return fclose(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
