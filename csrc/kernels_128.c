/* The kernels with 128-bit vectors: SSE2 and NEON. Elsewhere the compiler makes what it can. */
#define LANES 4
#define MOST_1 12
#if defined(__aarch64__)
#include <arm_neon.h>
#define MOST_2 12 /* 32 registers */
#define NAME "neon"
#define MULTIPLY_ADD(a, b, c) (vec) vfmaq_f32((float32x4_t)(c), (float32x4_t)(a), (float32x4_t)(b))
#else
#define MOST_2 6
#define NAME "sse2"
#define MULTIPLY_ADD(a, b, c) ((a) * (b) + (c))
#endif
#define MOST_4 0
#define KERNELS mt_kernels_128
#include "kernels_template.h"
