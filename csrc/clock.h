/* clock.h: the time that results report. */
#ifndef MT_CLOCK_H
#define MT_CLOCK_H

/* Milliseconds of a clock that only runs forward. */
double mt_now_ms(void);

#endif
