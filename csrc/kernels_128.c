/* The kernels with 128-bit vectors: SSE2 and NEON. Elsewhere the compiler makes what it can. */
#define LANES 4
#define MOST_1 12
#if defined(__aarch64__) /* 32 registers */
#include <arm_neon.h>
#define NAME "neon"
#define MOST_2 12
#define MOST_STEM 5
#define MULTIPLY_ADD(a, b, c) (vec) vfmaq_f32((float32x4_t)(c), (float32x4_t)(a), (float32x4_t)(b))
#define LARGER(a, b) (vec) vmaxnmq_f32((float32x4_t)(a), (float32x4_t)(b))
#define SMALLER(a, b) (vec) vminnmq_f32((float32x4_t)(a), (float32x4_t)(b))
#else
#define MOST_2 6
#define MOST_STEM 2
#define MULTIPLY_ADD(a, b, c) ((a) * (b) + (c))
#if defined(__SSE2__)
#include <emmintrin.h>
#define NAME "sse2"
#define LARGER(a, b) (vec) _mm_max_ps((__m128)(a), (__m128)(b))
#define SMALLER(a, b) (vec) _mm_min_ps((__m128)(a), (__m128)(b))
#else
#if defined(__ARM_NEON)
#define NAME "neon"
#else
#define NAME "vector"
#endif
#define LARGER(a, b) larger(a, b)
#define SMALLER(a, b) (-larger(-(a), -(b)))
#define NEEDS_LARGER
#endif
#endif
#define KERNELS mt_kernels_128
#include "kernels_template.h"
