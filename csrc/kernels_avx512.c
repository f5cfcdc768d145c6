/* The kernels with AVX-512: 32 registers of 16 floats. */
#include <immintrin.h>

#define LANES 16
#define MOST_1 12
#define MOST_2 12
#define MOST_STEM 5
#define NAME "avx512"
#define MULTIPLY_ADD(a, b, c) (vec) _mm512_fmadd_ps((__m512)(a), (__m512)(b), (__m512)(c))
#define LARGER(a, b) (vec) _mm512_max_ps((__m512)(a), (__m512)(b))
#define SMALLER(a, b) (vec) _mm512_min_ps((__m512)(a), (__m512)(b))
#define KERNELS mt_kernels_avx512
#include "kernels_template.h"
