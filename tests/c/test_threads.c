#include <stdatomic.h>

#include "test.h"
#include "threads.h"

enum { TASKS = 1000, WORKERS = 4 };

static atomic_int done[TASKS];
static atomic_int out_of_range;

static void task(void *context, int number, int worker)
{
    atomic_fetch_add(&done[number], 1);
    if (worker < 0 || worker >= *(int *)context)
        atomic_fetch_add(&out_of_range, 1);
}

int main(void)
{
    mtcnn_error error;
    for (int workers = 1; workers <= WORKERS; workers++) {
        mt_pool *pool;
        REQUIRE(!mt_pool_create(&pool, workers, &error));
        for (int run = 0; run < 100; run++) {
            for (int i = 0; i < TASKS; i++)
                atomic_store(&done[i], 0);
            const int count = run % 3 ? TASKS : run % 2; /* none and one, too */
            mt_pool_run(pool, count, task, &workers);
            for (int i = 0; i < TASKS; i++)
                CHECK(atomic_load(&done[i]) == (i < count));
        }
        mt_pool_free(&pool);
        CHECK(!pool);
    }
    CHECK(atomic_load(&out_of_range) == 0);
    return test_end();
}
