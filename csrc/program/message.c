#include "message.h"

#include <stdarg.h>
#include <stdio.h>

int message_set(struct message *message, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(message->text, sizeof message->text, format, args);
    va_end(args);
    return -1;
}

/* File names may hold line feeds and escape sequences: neither may reach the terminal. */
static void print_plain(const char *text)
{
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        fputc(byte < 0x20 || byte == 0x7f ? '?' : byte, stderr);
    }
}

void message_print(const char *subject, const char *text)
{
    fflush(stdout);
    fputs("mtcnn: ", stderr);
    if (subject) {
        print_plain(subject);
        fputs(": ", stderr);
    }
    print_plain(text);
    fputc('\n', stderr);
}
