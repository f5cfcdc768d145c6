/* The kernels with AVX-512 and FMA: 32 registers of 16 floats. */
#include <immintrin.h>

#define LANES 16
#define MAX_1 12
#define MAX_2 12
#define MAX_STEM 5
#define NAME "avx512"
#define MULTIPLY_ADD(a, b, c) (vec) _mm512_fmadd_ps((__m512)(a), (__m512)(b), (__m512)(c))
#define LARGER(a, b) (vec) _mm512_max_ps((__m512)(a), (__m512)(b))
#define SMALLER(a, b) (vec) _mm512_min_ps((__m512)(a), (__m512)(b))
#define MULTIPLY_ADD_4(a, b, c) (quad) _mm_fmadd_ps((__m128)(a), (__m128)(b), (__m128)(c))
#define FROM_BYTES(p) \
    (vec) _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(p))))
#define KERNELS mt_kernels_avx512
#include "kernels_template.h"
