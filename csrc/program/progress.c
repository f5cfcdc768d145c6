#include "progress.h"

#include <stdio.h>
#include <unistd.h>

#include "seconds.h"

#define INTERVAL 0.1 /* seconds from line to line */

void progress_begin(struct progress *progress, const char *unit, long total)
{
    *progress = (struct progress){
        .shown = total != 1 && isatty(STDERR_FILENO), .unit = unit, .total = total};
    progress->start = seconds_now();
}

void progress_clear(struct progress *progress)
{
    if (progress->drawn)
        fputs("\r\033[K", stderr);
    progress->drawn = false;
}

static void print_line(const struct progress *progress, const char *end)
{
    const double seconds = seconds_now() - progress->start;
    char of[32] = "";
    if (progress->total > 0)
        snprintf(of, sizeof of, " of %ld", progress->total);
    fprintf(stderr, "\r%ld%s %s, %ld face%s, %.1f %s/s\033[K%s", progress->done, of, progress->unit,
            progress->faces, progress->faces == 1 ? "" : "s",
            seconds > 0 ? (double)progress->done / seconds : 0.0, progress->unit, end);
}

void progress_step(struct progress *progress, int faces)
{
    progress->done++;
    progress->faces += faces;
    const double time = seconds_now();
    if (!progress->shown || (progress->drawn && time < progress->last + INTERVAL))
        return;
    print_line(progress, "");
    progress->drawn = true;
    progress->last = time;
}

void progress_end(struct progress *progress)
{
    if (progress->shown)
        print_line(progress, "\n");
    progress->drawn = false;
}
