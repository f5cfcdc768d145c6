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

void message_write_name(FILE *stream, const char *text)
{
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        fputc(byte < 0x20 || byte == 0x7f ? '?' : byte, stream);
    }
}

void message_write(FILE *stream, const char *subject, const char *text)
{
    fputs("mtcnn: ", stream);
    if (subject) {
        message_write_name(stream, *subject ? subject : "''");
        fputs(": ", stream);
    }
    message_write_name(stream, text);
    fputc('\n', stream);
}

void message_print(const char *subject, const char *text)
{
    fflush(stdout);
    message_write(stderr, subject, text);
}
