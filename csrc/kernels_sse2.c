/* The kernels with SSE2: 16 registers of 4 floats, on 32-bit x86 8. */
#include <emmintrin.h>
#include <stdint.h>
#include <string.h>

#define LANES 4
#define MAX_1 12
#define MAX_2 6
#define MAX_STEM 2
#define NAME "sse2"
#define MULTIPLY_ADD(a, b, c) ((a) * (b) + (c))
#define LARGER(a, b) (vec) _mm_max_ps((__m128)(a), (__m128)(b))
#define SMALLER(a, b) (vec) _mm_min_ps((__m128)(a), (__m128)(b))
#define MULTIPLY_ADD_4 MULTIPLY_ADD
#define FROM_BYTES(p) (vec) from_bytes(p)
#define KERNELS mt_kernels_sse2

/* Four bytes as floats. */
static inline __m128 from_bytes(const uint8_t *bytes)
{
    const __m128i zero = _mm_setzero_si128();
    int four;
    memcpy(&four, bytes, 4);
    const __m128i words = _mm_unpacklo_epi8(_mm_cvtsi32_si128(four), zero);
    return _mm_cvtepi32_ps(_mm_unpacklo_epi16(words, zero));
}

#include "kernels_template.h"
