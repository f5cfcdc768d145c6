/* The kernels with AVX-512: 32 registers of 16 floats. */
#define LANES 16
#define MOST_1 12
#define MOST_2 12
#define MOST_4 6
#define NAME "avx512"
#define KERNELS mt_kernels_avx512
#include "kernels_template.h"
