/* seconds.h: a clock that is never set. */
#ifndef MTCNN_PROGRAM_SECONDS_H
#define MTCNN_PROGRAM_SECONDS_H

/* The time since some point in the past, seconds. */
double seconds_now(void);

#endif
