#include "gemm.h"

#include <cblas.h>

void mt_gemm(int m, int n, int k, const float *a, const float *b, float *c, int ldc)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, k, 1.0f, a, k, b, n, 0.0f, c, ldc);
}

void mt_gemm_transposed(int m, int n, int k, const float *a, const float *b, float *c)
{
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, n, k, 1.0f, a, k, b, k, 0.0f, c, n);
}

void mt_gemm_single_thread(void)
{
    openblas_set_num_threads(1);
}
