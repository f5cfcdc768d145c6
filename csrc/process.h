/*
 * process.h: what a fork leaves to the child: the memory of its parent, but none of the parent's
 * other threads. Their locks stay locked, and what they were writing stays half written.
 */
#ifndef MT_PROCESS_H
#define MT_PROCESS_H

#include <stdatomic.h>
#include <stdbool.h>

/* A number of the process, never that of a parent from which it was forked. */
unsigned mt_process(void);

/* Marks what one thread at a time works on; all zero at first. */
typedef struct mt_use {
    atomic_bool busy;
    unsigned process; /* in which it was used last */
} mt_use;

/* Whether a fork copied it in the middle of its use, which will never end. */
bool mt_use_is_torn(mt_use *use);

/* Brackets around a use. What is torn must have been made anew before. */
void mt_use_begin(mt_use *use);
void mt_use_end(mt_use *use);

#endif
