#include "interrupt.h"

#include <signal.h>
#include <stddef.h>

#include "atomic_file.h"

static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
#define NUMBER_COUNT (sizeof numbers / sizeof *numbers)

static struct sigaction before[NUMBER_COUNT], before_pipe;
static volatile sig_atomic_t caught;

static void on_signal(int number)
{
    caught = number;
    for (size_t i = 0; i < NUMBER_COUNT; i++)
        sigaction(numbers[i], &before[i], NULL);
}

void interrupt_catch(void)
{
    atomic_file_remove_on_signals();
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignore, &before_pipe);
    sigaction(SIGXFSZ, &ignore, NULL);
    for (size_t i = 0; i < NUMBER_COUNT; i++)
        sigaction(numbers[i], NULL, &before[i]);
    for (size_t i = 0; i < NUMBER_COUNT; i++) {
        struct sigaction action = before[i];
        if (action.sa_handler == SIG_IGN)
            continue;
        action.sa_handler = on_signal;
        action.sa_flags = 0; /* no SA_RESTART: a pipe that gives nothing must not hold us */
        sigaction(numbers[i], &action, NULL);
    }
}

void interrupt_pipe(void)
{
    sigaction(SIGPIPE, &before_pipe, NULL);
    raise(SIGPIPE);
}

int interrupt_caught(void)
{
    return caught;
}
