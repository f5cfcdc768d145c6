#include "process.h"

#include <pthread.h>

/* Not getpid: in a new name space a child may have its parent's number. */
static atomic_uint forks;

static void count_fork(void)
{
    atomic_fetch_add(&forks, 1);
}

static void watch_forks(void)
{
    pthread_atfork(NULL, NULL, count_fork);
}

unsigned mt_process(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, watch_forks);
    return atomic_load(&forks);
}

bool mt_use_is_torn(mt_use *use)
{
    return atomic_load(&use->busy) && use->process != mt_process();
}

void mt_use_begin(mt_use *use)
{
    use->process = mt_process();
    atomic_store_explicit(&use->busy, true, memory_order_relaxed);
    /* A fork sees the mark before it sees anything of the use. */
    atomic_thread_fence(memory_order_release);
}

void mt_use_end(mt_use *use)
{
    atomic_store_explicit(&use->busy, false, memory_order_release);
}
