/* The kernels with AVX2 and FMA: 16 registers of 8 floats. */
#define LANES 8
#define MOST_1 12
#define MOST_2 6
#define MOST_4 0
#define NAME "avx2"
#define KERNELS mt_kernels_avx2
#include "kernels_template.h"
