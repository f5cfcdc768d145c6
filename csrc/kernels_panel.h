/* Blocks of 1 to 12 outputs with panels of V vectors; included by kernels_template.h. */
#define P 1
#include "kernels_block.h"
#define P 2
#include "kernels_block.h"
#define P 3
#include "kernels_block.h"
#define P 4
#include "kernels_block.h"
#define P 5
#include "kernels_block.h"
#define P 6
#include "kernels_block.h"
#if (V == 1 && MAX_1 == 12) || (V == 2 && MAX_2 == 12)
#define P 7
#include "kernels_block.h"
#define P 8
#include "kernels_block.h"
#define P 9
#include "kernels_block.h"
#define P 10
#include "kernels_block.h"
#define P 11
#include "kernels_block.h"
#define P 12
#include "kernels_block.h"
#endif
