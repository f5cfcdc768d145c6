/* peak.h: what one core of this machine can do at most: the yardstick of the other figures. */
#ifndef BENCH_PEAK_H
#define BENCH_PEAK_H

/*
 * GFLOP/s of a loop of nothing but multiply-adds in registers, with vectors of `lanes` floats (16:
 * AVX-512, 8: AVX2, 4: NEON); 0 where this processor has no such instruction.
 */
double peak_multiply_add(int lanes);

/* GFLOP/s of OpenBLAS's product of two 1024x1024 matrices on one thread. */
double peak_sgemm(void);

/* Seconds of a clock that only runs forward. */
double peak_seconds(void);

#endif
