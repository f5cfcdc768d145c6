/* The kernels with AVX2 and FMA: 16 registers of 8 floats. */
#include <immintrin.h>

#define LANES 8
#define MAX_1 12
#define MAX_2 6
#define MAX_STEM 2
#define NAME "avx2"
#define MULTIPLY_ADD(a, b, c) (vec) _mm256_fmadd_ps((__m256)(a), (__m256)(b), (__m256)(c))
#define LARGER(a, b) (vec) _mm256_max_ps((__m256)(a), (__m256)(b))
#define SMALLER(a, b) (vec) _mm256_min_ps((__m256)(a), (__m256)(b))
#define MULTIPLY_ADD_4(a, b, c) (quad) _mm_fmadd_ps((__m128)(a), (__m128)(b), (__m128)(c))
#define FROM_BYTES(p) \
    (vec) _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(p))))
#define KERNELS mt_kernels_avx2
#include "kernels_template.h"
