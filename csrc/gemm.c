#include "gemm.h"

#include <cblas.h>

#include "error.h"

typedef void sgemm_function(enum CBLAS_ORDER order, enum CBLAS_TRANSPOSE transpose_a,
                            enum CBLAS_TRANSPOSE transpose_b, int m, int n, int k, float alpha,
                            const float *a, int lda, const float *b, int ldb, float beta, float *c,
                            int ldc);
typedef void threads_function(int threads);

/* What is called through pointers has the types that OpenBLAS's header gives it. */
_Static_assert(_Generic(cblas_sgemm, sgemm_function * : 1, default : 0), "cblas_sgemm's type");
_Static_assert(_Generic(openblas_set_num_threads, threads_function * : 1, default : 0),
               "openblas_set_num_threads' type");

/* ---- loading --------------------------------------------------------------------------------- */

#ifdef MTCNN_OPENBLAS /* the shared library's name, as CMake found it */

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static sgemm_function *sgemm; /* NULL: it could not be loaded */
static threads_function *set_num_threads;
static mtcnn_error failure; /* and why */

/* Never unloaded: its threads may not outlive its code. */
static void load(void)
{
    void *library = dlopen(MTCNN_OPENBLAS, RTLD_NOW | RTLD_LOCAL);
    void *symbols[2] = {NULL, NULL};
    if (library && (symbols[0] = dlsym(library, "openblas_set_num_threads")))
        symbols[1] = dlsym(library, "cblas_sgemm");
    if (!symbols[1]) {
        const char *reason = dlerror();
        mt_fail(&failure, MTCNN_ERROR_FILE,
                "a network of this form needs OpenBLAS, which cannot be loaded (%s); install it "
                "(Debian, Ubuntu: libopenblas0)",
                reason ? reason : MTCNN_OPENBLAS);
        return;
    }
    memcpy(&set_num_threads, &symbols[0], sizeof symbols[0]); /* ISO C has no cast for this */
    memcpy(&sgemm, &symbols[1], sizeof symbols[1]);
}

int mt_gemm_load(mtcnn_error *error)
{
    pthread_once(&once, load);
    return sgemm ? MTCNN_OK : mt_fail(error, MTCNN_ERROR_FILE, "%s", failure.message);
}

#else /* OpenBLAS is a static library */

static sgemm_function *const sgemm = cblas_sgemm;
static threads_function *const set_num_threads = openblas_set_num_threads;

int mt_gemm_load(mtcnn_error *error)
{
    (void)error;
    return MTCNN_OK;
}

#endif

/* ---- calling --------------------------------------------------------------------------------- */

void mt_gemm(int m, int n, int k, const float *a, const float *b, float *c, int ldc)
{
    sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, k, 1.0f, a, k, b, n, 0.0f, c, ldc);
}

void mt_gemm_transposed(int m, int n, int k, const float *a, const float *b, float *c)
{
    sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, n, k, 1.0f, a, k, b, k, 0.0f, c, n);
}

void mt_gemm_single_thread(void)
{
    set_num_threads(1);
}
