/* plain_gemm.c: gemm.h's functions for tests of a core that is built without OpenBLAS. */
#include "gemm.h"

/* c [m][n], ldc floats apart = a [m][k] * b, whose element [i][j] is i * down + j * along. */
static void multiply(int m, int n, int k, const float *a, const float *b, int down, int along,
                     float *c, int ldc)
{
    for (int y = 0; y < m; y++) {
        for (int x = 0; x < n; x++) {
            float sum = 0.0f;
            for (int i = 0; i < k; i++)
                sum += a[y * k + i] * b[i * down + x * along];
            c[y * ldc + x] = sum;
        }
    }
}

int mt_gemm_load(mtcnn_error *error)
{
    (void)error;
    return MTCNN_OK;
}

void mt_gemm(int m, int n, int k, const float *a, const float *b, float *c, int ldc)
{
    multiply(m, n, k, a, b, n, 1, c, ldc);
}

void mt_gemm_transposed(int m, int n, int k, const float *a, const float *b, float *c)
{
    multiply(m, n, k, a, b, 1, k, c, n);
}

void mt_gemm_single_thread(void)
{
}
