/* interrupt.h: Ctrl-C and the like, so that what is being written can be finished first. */
#ifndef MTCNN_PROGRAM_INTERRUPT_H
#define MTCNN_PROGRAM_INTERRUPT_H

/*
 * From now on the first SIGINT, SIGTERM or SIGHUP is only noted; the second ends the program, and
 * removes the temporary file that is being written. Signals that are ignored stay so. SIGPIPE and
 * SIGXFSZ are ignored: what cannot be written fails, and the rest can be finished.
 */
void interrupt_catch(void);

/* Ends the program by SIGPIPE, unless that was ignored at its start. */
void interrupt_pipe(void);

/* The signal that was noted; 0: none. */
int interrupt_caught(void);

#endif
