#define _POSIX_C_SOURCE 200809L /* pthread_rwlock_t */
#include "gemm.h"

#include <pthread.h>
#include <stdbool.h>

#include "error.h"

/* OpenBLAS's own declarations, whose enumerations and blasint are of int's size: cblas.h. */
enum { ROW_MAJOR = 101, AS_IT_IS = 111, TRANSPOSED = 112 };
typedef void sgemm_function(int order, int transpose_a, int transpose_b, int m, int n, int k,
                            float alpha, const float *a, int lda, const float *b, int ldb,
                            float beta, float *c, int ldc);
typedef void threads_function(int threads);

/* ---- loading --------------------------------------------------------------------------------- */

#if defined(MTCNN_OPENBLAS) /* the shared library's names: cmake/openblas.cmake */

#include <dlfcn.h>
#include <string.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static sgemm_function *sgemm; /* NULL: it could not be loaded */
static threads_function *set_num_threads;
static mtcnn_error failure; /* and why */

/* false: *reason says why, for the first name that fails */
static bool load_library(const char *name, mtcnn_error *reason)
{
    void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    void *symbols[2] = {NULL, NULL};
    if (library && (symbols[0] = dlsym(library, "openblas_set_num_threads")))
        symbols[1] = dlsym(library, "cblas_sgemm");
    if (!symbols[1]) {
        const char *cause = dlerror();
        if (!reason->message[0])
            mt_fail(reason, MTCNN_ERROR_FILE, "%s", cause ? cause : name);
        return false;
    }
    memcpy(&set_num_threads, &symbols[0], sizeof symbols[0]); /* ISO C has no cast for this */
    memcpy(&sgemm, &symbols[1], sizeof symbols[1]);
    return true;
}

/* Never unloaded: its threads may not outlive its code. */
static void load(void)
{
    static const char *const names[] = {MTCNN_OPENBLAS};
    mtcnn_error reason = {0};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (load_library(names[i], &reason))
            return;
    mt_fail(&failure, MTCNN_ERROR_FILE,
            "a network of this form needs OpenBLAS, which cannot be loaded (%s); install it "
            "(Debian, Ubuntu: libopenblas0)",
            reason.message);
}

int mt_gemm_load(mtcnn_error *error)
{
    pthread_once(&once, load);
    return sgemm ? MTCNN_OK : mt_fail(error, MTCNN_ERROR_FILE, "%s", failure.message);
}

#elif defined(MTCNN_OPENBLAS_LINKED)

sgemm_function cblas_sgemm;
threads_function openblas_set_num_threads;
static sgemm_function *const sgemm = cblas_sgemm;
static threads_function *const set_num_threads = openblas_set_num_threads;

int mt_gemm_load(mtcnn_error *error)
{
    (void)error;
    return MTCNN_OK;
}

#else /* left out */

static sgemm_function *sgemm; /* never called: nothing runs that could not be loaded */
static threads_function *set_num_threads;

int mt_gemm_load(mtcnn_error *error)
{
    return mt_fail(error, MTCNN_ERROR_FILE,
                   "a network of this form needs OpenBLAS, without which this library was built; "
                   "build it with -DMTCNN_BLAS=ON");
}

#endif

/* ---- calling --------------------------------------------------------------------------------- */

/*
 * OpenBLAS has locks that it does not renew in a forked child: forks wait until no call is in
 * progress, and calls that come meanwhile wait for the fork.
 */
static pthread_once_t watch = PTHREAD_ONCE_INIT;
static pthread_mutex_t entrance = PTHREAD_MUTEX_INITIALIZER;
static pthread_rwlock_t calls = PTHREAD_RWLOCK_INITIALIZER;

static void before_fork(void)
{
    pthread_mutex_lock(&entrance);
    pthread_rwlock_wrlock(&calls);
}

static void in_parent(void)
{
    pthread_rwlock_unlock(&calls);
    pthread_mutex_unlock(&entrance);
}

/* Threads that waited for these locks are not in the child. */
static void in_child(void)
{
    entrance = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    calls = (pthread_rwlock_t)PTHREAD_RWLOCK_INITIALIZER;
}

static void watch_forks(void)
{
    pthread_atfork(before_fork, in_parent, in_child);
}

static void begin_call(void)
{
    pthread_once(&watch, watch_forks);
    pthread_mutex_lock(&entrance);
    pthread_rwlock_rdlock(&calls);
    pthread_mutex_unlock(&entrance);
}

static void end_call(void)
{
    pthread_rwlock_unlock(&calls);
}

void mt_gemm(int m, int n, int k, const float *a, const float *b, float *c, int ldc)
{
    begin_call();
    sgemm(ROW_MAJOR, AS_IT_IS, AS_IT_IS, m, n, k, 1.0f, a, k, b, n, 0.0f, c, ldc);
    end_call();
}

void mt_gemm_transposed(int m, int n, int k, const float *a, const float *b, float *c)
{
    begin_call();
    sgemm(ROW_MAJOR, AS_IT_IS, TRANSPOSED, m, n, k, 1.0f, a, k, b, k, 0.0f, c, n);
    end_call();
}

void mt_gemm_single_thread(void)
{
    begin_call();
    set_num_threads(1);
    end_call();
}
