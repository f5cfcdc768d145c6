#include "threads.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

#include "error.h"
#include "process.h"

typedef struct mt_worker {
    mt_pool *pool;
    int number;
    pthread_t thread;
} mt_worker;

struct mt_pool {
    unsigned process;   /* whose threads they are */
    int asked;          /* workers, the caller included */
    int count;          /* those with threads of their own: all but the caller, once started */
    mt_worker *workers; /* [count] */
    pthread_mutex_t mutex;
    pthread_cond_t start, done;
    /* the run in progress; guarded by mutex, except next */
    unsigned run; /* number of the run: workers wait for it to change */
    int busy;     /* workers that have not yet ended it */
    bool stop;
    mt_task task;
    void *context;
    int tasks;
    atomic_int next;
};

static void work(mt_pool *pool, int worker)
{
    int task;
    while ((task = atomic_fetch_add(&pool->next, 1)) < pool->tasks)
        pool->task(pool->context, task, worker);
}

static void *worker_main(void *argument)
{
    mt_worker *worker = argument;
    mt_pool *pool = worker->pool;
    unsigned seen = 0;
    pthread_mutex_lock(&pool->mutex);
    for (;;) {
        while (pool->run == seen && !pool->stop)
            pthread_cond_wait(&pool->start, &pool->mutex);
        if (pool->stop)
            break;
        seen = pool->run;
        pthread_mutex_unlock(&pool->mutex);
        work(pool, worker->number);
        pthread_mutex_lock(&pool->mutex);
        if (--pool->busy == 0)
            pthread_cond_signal(&pool->done);
    }
    pthread_mutex_unlock(&pool->mutex);
    return NULL;
}

int mt_pool_create(mt_pool **result, int workers, mtcnn_error *error)
{
    *result = NULL;
    mt_pool *pool = calloc(1, sizeof *pool);
    if (!pool)
        return mt_fail_memory(error, "a thread pool", sizeof *pool);
    pool->process = mt_process();
    pool->asked = workers;
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->start, NULL);
    pthread_cond_init(&pool->done, NULL);
    *result = pool;
    if (workers == 1)
        return MTCNN_OK;

    pool->workers = calloc((size_t)workers - 1, sizeof *pool->workers);
    int failure = pool->workers ? 0 : -1;
    for (int i = 0; i < workers - 1 && !failure; i++) {
        pool->workers[i] = (mt_worker){.pool = pool, .number = i + 1};
        failure = pthread_create(&pool->workers[i].thread, NULL, worker_main, &pool->workers[i]);
        if (!failure)
            pool->count++;
    }
    if (failure) {
        mt_pool_free(result);
        return mt_fail(error, MTCNN_ERROR_MEMORY, "%d threads cannot be started; ask for fewer",
                       workers);
    }
    return MTCNN_OK;
}

static void stop(mt_pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    pool->stop = true;
    pthread_cond_broadcast(&pool->start);
    pthread_mutex_unlock(&pool->mutex);
    for (int i = 0; i < pool->count; i++)
        pthread_join(pool->workers[i].thread, NULL);
    pthread_cond_destroy(&pool->start);
    pthread_cond_destroy(&pool->done);
    pthread_mutex_destroy(&pool->mutex);
}

void mt_pool_free(mt_pool **result)
{
    mt_pool *pool = *result;
    if (!pool)
        return;
    if (pool->process == mt_process())
        stop(
            pool); /* else its threads are another process's, and its lock may be locked for ever */
    free(pool->workers);
    free(pool);
    *result = NULL;
}

int mt_pool_renew(mt_pool **pool, mtcnn_error *error)
{
    if ((*pool)->process == mt_process())
        return MTCNN_OK;
    mt_pool *own;
    const int status = mt_pool_create(&own, (*pool)->asked, error);
    if (status)
        return status;
    mt_pool_free(pool);
    *pool = own;
    return MTCNN_OK;
}

void mt_pool_run(mt_pool *pool, int count, mt_task task, void *context)
{
    if (pool->count == 0 || count < 2) {
        for (int i = 0; i < count; i++)
            task(context, i, 0);
        return;
    }
    pthread_mutex_lock(&pool->mutex);
    pool->task = task;
    pool->context = context;
    pool->tasks = count;
    atomic_store(&pool->next, 0);
    pool->busy = pool->count;
    pool->run++;
    pthread_cond_broadcast(&pool->start);
    pthread_mutex_unlock(&pool->mutex);

    work(pool, 0);

    pthread_mutex_lock(&pool->mutex);
    while (pool->busy)
        pthread_cond_wait(&pool->done, &pool->mutex);
    pthread_mutex_unlock(&pool->mutex);
}

void mt_pool_lock(mt_pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
}

void mt_pool_unlock(mt_pool *pool)
{
    pthread_mutex_unlock(&pool->mutex);
}
