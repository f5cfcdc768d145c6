#define _POSIX_C_SOURCE 200809L /* clock_gettime */
#include "peak.h"

#include <stdlib.h>
#include <time.h>

#include "gemm.h"

double peak_seconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* Twelve independent sums are more than any core can have in flight. */
#define TWELVE(F) F(0) F(1) F(2) F(3) F(4) F(5) F(6) F(7) F(8) F(9) F(10) F(11)
#define LOOPS 100000
#define REPEATS 200

/* The least seconds of LOOPS times the twelve instructions. */
#define TIME(instructions, ...) \
    do { \
        for (int repeat = 0; repeat < REPEATS; repeat++) { \
            const double start = peak_seconds(); \
            for (int i = 0; i < LOOPS; i++) \
                __asm__ volatile(instructions ::: __VA_ARGS__); \
            const double time = peak_seconds() - start; \
            best = time < best ? time : best; \
        } \
    } while (0)

double peak_multiply_add(int lanes)
{
    double best = 1e9;
#if defined(__x86_64__)
#define ZMM(n) "vfmadd231ps %%zmm14, %%zmm15, %%zmm" #n "\n"
#define YMM(n) "vfmadd231ps %%ymm14, %%ymm15, %%ymm" #n "\n"
    if (lanes == 16 && __builtin_cpu_supports("avx512f"))
        TIME(TWELVE(ZMM), "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
             "xmm9", "xmm10", "xmm11");
    else if (lanes == 8 && __builtin_cpu_supports("fma"))
        TIME(TWELVE(YMM), "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",
             "xmm9", "xmm10", "xmm11");
    else
        return 0.0;
#elif defined(__aarch64__)
#define NEON(n) "fmla v" #n ".4s, v14.4s, v15.4s\n"
    if (lanes == 4)
        TIME(TWELVE(NEON), "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10",
             "v11");
    else
        return 0.0;
#else
    return 0.0;
#endif
    return 2e-9 * 12 * lanes * LOOPS / best;
}

double peak_sgemm(void)
{
    enum { SIDE = 1024 };
    const size_t count = (size_t)SIDE * SIDE;
    float *memory = malloc(3 * count * sizeof *memory);
    if (!memory || mt_gemm_load(NULL)) {
        free(memory);
        return 0.0;
    }
    for (size_t i = 0; i < 2 * count; i++)
        memory[i] = (float)(i % 17) - 8.0f;
    mt_gemm_single_thread();
    double best = 1e9;
    for (int repeat = 0; repeat < 10; repeat++) {
        const double start = peak_seconds();
        mt_gemm(SIDE, SIDE, SIDE, memory, memory + count, memory + 2 * count, SIDE);
        const double time = peak_seconds() - start;
        best = time < best ? time : best;
    }
    free(memory);
    return 2e-9 * (double)count * SIDE / best;
}
