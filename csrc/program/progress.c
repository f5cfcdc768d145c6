#include "progress.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define INTERVAL 0.1 /* seconds from line to line */

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

void progress_begin(struct progress *progress, int total)
{
    *progress = (struct progress){.shown = total > 1 && isatty(STDERR_FILENO), .total = total};
    progress->start = now();
}

void progress_clear(struct progress *progress)
{
    if (progress->drawn)
        fputs("\r\033[K", stderr);
    progress->drawn = false;
}

static void print_line(const struct progress *progress, const char *end)
{
    const double seconds = now() - progress->start;
    fprintf(stderr, "\r%d of %d pictures, %d face%s, %.1f pictures/s\033[K%s", progress->done,
            progress->total, progress->faces, progress->faces == 1 ? "" : "s",
            seconds > 0 ? progress->done / seconds : 0.0, end);
}

void progress_step(struct progress *progress, int faces)
{
    progress->done++;
    progress->faces += faces;
    const double time = now();
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
