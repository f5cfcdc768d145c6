/* The kernels with 128-bit vectors: SSE2 and NEON. Elsewhere the compiler makes what it can. */
#include <stdint.h>
#include <string.h>

#define LANES 4
#define MAX_1 12
#if defined(__aarch64__) /* 32 registers */
#include <arm_neon.h>
#define NAME "neon"
#define MAX_2 12
#define MAX_STEM 5
#define MULTIPLY_ADD(a, b, c) (vec) vfmaq_f32((float32x4_t)(c), (float32x4_t)(a), (float32x4_t)(b))
#define LARGER(a, b) (vec) vmaxnmq_f32((float32x4_t)(a), (float32x4_t)(b))
#define SMALLER(a, b) (vec) vminnmq_f32((float32x4_t)(a), (float32x4_t)(b))
#else
#define MAX_2 6
#define MAX_STEM 2
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

/* Four bytes as floats. */
#if defined(__aarch64__)
#define FROM_BYTES(p) (vec) from_bytes(p)

static inline float32x4_t from_bytes(const uint8_t *bytes)
{
    uint32_t four;
    memcpy(&four, bytes, 4);
    return vcvtq_f32_u32(vmovl_u16(vget_low_u16(vmovl_u8(vcreate_u8(four)))));
}
#elif defined(__SSE2__)
#define FROM_BYTES(p) (vec) from_bytes(p)

static inline __m128 from_bytes(const uint8_t *bytes)
{
    const __m128i zero = _mm_setzero_si128();
    int four;
    memcpy(&four, bytes, 4);
    const __m128i words = _mm_unpacklo_epi8(_mm_cvtsi32_si128(four), zero);
    return _mm_cvtepi32_ps(_mm_unpacklo_epi16(words, zero));
}
#else
#define FROM_BYTES(p) ((vec){(float)(p)[0], (float)(p)[1], (float)(p)[2], (float)(p)[3]})
#endif

#define MULTIPLY_ADD_4 MULTIPLY_ADD
#define KERNELS mt_kernels_128
#include "kernels_template.h"
