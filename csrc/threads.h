/* threads.h: a pool of threads that share out numbered tasks. */
#ifndef MT_THREADS_H
#define MT_THREADS_H

#include "mtcnn.h"

typedef struct mt_pool mt_pool;

/* Work on one task; worker: 0..workers - 1, so that each may have its own memory. */
typedef void (*mt_task)(void *context, int task, int worker);

/* A pool of workers threads, the caller's own included. *pool is NULL on failure. */
int mt_pool_create(mt_pool **pool, int workers, mtcnn_error *error);
void mt_pool_free(mt_pool **pool);

/*
 * After a fork, in the child, which has none of the pool's threads: makes the pool anew. Before
 * each use; on failure the pool is as it was.
 */
int mt_pool_renew(mt_pool **pool, mtcnn_error *error);

/* Does tasks 0..count - 1, each once, in any order on any worker; returns when all are done. */
void mt_pool_run(mt_pool *pool, int count, mt_task task, void *context);

/* For tasks that share data: one of them at a time goes on between these two. */
void mt_pool_lock(mt_pool *pool);
void mt_pool_unlock(mt_pool *pool);

#endif
