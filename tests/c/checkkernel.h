/* checkkernel.h: shared by the parts of checkkernel. */
#ifndef CHECKKERNEL_H
#define CHECKKERNEL_H

#include <stdbool.h>

#include "kernels.h"
#include "test.h"

/*
 * Each compares kernels with the plain C ones on random and odd sizes, and returns the largest
 * difference divided by the root of the number of products in a sum; with bench it also prints the
 * speed at the shapes of the cascade's networks.
 */
float check_winograd(const mt_kernels *kernels, uint64_t *state, bool bench);
float check_stem(const mt_kernels *kernels, uint64_t *state, bool bench);

/* Seconds of a monotonic clock. */
double check_seconds(void);

#endif
