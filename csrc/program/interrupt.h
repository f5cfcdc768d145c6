/* interrupt.h: Ctrl-C and the like, so that what is being written can be finished first. */
#ifndef MTCNN_PROGRAM_INTERRUPT_H
#define MTCNN_PROGRAM_INTERRUPT_H

/*
 * From now on the first SIGINT, SIGTERM or SIGHUP is only noted; the second ends the program, and
 * removes the temporary file that is being written. Signals that are ignored stay so.
 */
void interrupt_catch(void);

/* The signal that was noted; 0: none. */
int interrupt_caught(void);

#endif
