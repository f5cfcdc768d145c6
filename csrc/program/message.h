/* message.h: one sentence about what went wrong, for the person at the terminal. */
#ifndef MTCNN_PROGRAM_MESSAGE_H
#define MTCNN_PROGRAM_MESSAGE_H

#include <stdio.h>

/* The cause and, where there is one, the remedy; whoever prints it puts the file's name before. */
struct message {
    char text[512]; /* always terminated, cut to fit */
};

/* Writes the printf-like sentence and returns -1, this program's "failed". */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
int message_set(struct message *message, const char *format, ...);

/* Writes a file's name, for a terminal: '?' for line feeds, escape sequences and the like. */
void message_write_name(FILE *stream, const char *text);

/*
 * Prints "mtcnn: subject: text" as one line, whatever bytes subject holds; subject (a file or an
 * option) may be NULL.
 */
void message_write(FILE *stream, const char *subject, const char *text);

/* The same on stderr. What stdout holds is written first, so that both stay in order. */
void message_print(const char *subject, const char *text);

#endif
