#include "video_clock.h"

#include <math.h>

double video_clock_next(struct video_clock *clock, double stamp, double arrival)
{
    const double next = clock->seconds + 1 / clock->rate;
    double time = clock->kind == TIME_OF_STREAM    ? stamp
                  : clock->kind == TIME_OF_ARRIVAL ? arrival
                                                   : (double)clock->frames / clock->rate;
    if (isnan(time)) /* as the frame before would have it */
        time = clock->frames ? clock->zero + next : 0;
    if (!clock->frames)
        clock->zero = time;
    else if (clock->gap) /* stamps begin anew, time has gone on */
        clock->zero = time - clock->seconds - (arrival - clock->arrival);
    const double seconds = time - clock->zero;
    if (clock->frames)
        clock->seconds = seconds > clock->seconds ? seconds : next;
    clock->gap = false;
    clock->arrival = arrival;
    clock->frames++;
    return clock->seconds;
}
