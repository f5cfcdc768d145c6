/* The kernels for other processors, of which the compiler makes what it can. */
#define LANES 4
#define MAX_1 12
#define MAX_2 6
#define MAX_STEM 2
#define NAME "vector"
#define MULTIPLY_ADD(a, b, c) ((a) * (b) + (c))
#define LARGER(a, b) larger(a, b)
#define SMALLER(a, b) (-larger(-(a), -(b)))
#define NEEDS_LARGER
#define MULTIPLY_ADD_4 MULTIPLY_ADD
#define FROM_BYTES(p) ((vec){(float)(p)[0], (float)(p)[1], (float)(p)[2], (float)(p)[3]})
#define KERNELS mt_kernels_vector
#include "kernels_template.h"
