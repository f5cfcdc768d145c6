/* The kernels with 128-bit vectors: SSE2 and NEON. Elsewhere the compiler makes what it can. */
#define LANES 4
#define MOST_1 12
#if defined(__aarch64__)
#define MOST_2 12 /* 32 registers */
#define NAME "neon"
#else
#define MOST_2 6
#define NAME "sse2"
#endif
#define MOST_4 0
#define KERNELS mt_kernels_128
#include "kernels_template.h"
