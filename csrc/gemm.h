/*
 * gemm.h: the one place that calls OpenBLAS. All matrices are row-major and dense.
 *
 * OpenBLAS is loaded when the first network needs it, not when the program starts: that takes
 * milliseconds and megabytes, and it starts threads that spin on the other cores for a while. The
 * usual networks never need it (packed.h).
 */
#ifndef MT_GEMM_H
#define MT_GEMM_H

#include "mtcnn.h"

/*
 * Loads OpenBLAS, once for the process: to be called before all that follows, by any thread.
 * MTCNN_ERROR_FILE where it is not installed.
 */
int mt_gemm_load(mtcnn_error *error);

/* c [m][n] = a [m][k] * b [k][n]; ldc: floats from one row of c to the next. */
void mt_gemm(int m, int n, int k, const float *a, const float *b, float *c, int ldc);

/* c [m][n] = a [m][k] * b [n][k] transposed */
void mt_gemm_transposed(int m, int n, int k, const float *a, const float *b, float *c);

/*
 * Keeps OpenBLAS from making threads of its own: the core has its own. To be called by each thread
 * before it calls the above: with OpenMP the setting is the thread's, else the process's.
 */
void mt_gemm_single_thread(void);

#endif
