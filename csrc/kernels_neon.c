/*
 * The kernels with NEON: on 64-bit ARM, where all have it, 32 registers of 4 floats and fused
 * products; on 32-bit ARM 16 registers, and what is smaller than the normal floats becomes zero.
 */
#include <arm_neon.h>
#include <stdint.h>
#include <string.h>

#define LANES 4
#define MAX_1 12
#define NAME "neon"
#if defined(__aarch64__)
#define MAX_2 12
#define MAX_STEM 5
#define MULTIPLY_ADD(a, b, c) (vec) vfmaq_f32((float32x4_t)(c), (float32x4_t)(a), (float32x4_t)(b))
#define LARGER(a, b) (vec) vmaxnmq_f32((float32x4_t)(a), (float32x4_t)(b))
#define SMALLER(a, b) (vec) vminnmq_f32((float32x4_t)(a), (float32x4_t)(b))
#else
#define MAX_2 6
#define MAX_STEM 2
#define MULTIPLY_ADD(a, b, c) (vec) vmlaq_f32((float32x4_t)(c), (float32x4_t)(a), (float32x4_t)(b))
#define LARGER(a, b) (vec) vmaxq_f32((float32x4_t)(a), (float32x4_t)(b))
#define SMALLER(a, b) (vec) vminq_f32((float32x4_t)(a), (float32x4_t)(b))
#endif
#define MULTIPLY_ADD_4 MULTIPLY_ADD
#define FROM_BYTES(p) (vec) from_bytes(p)
#define KERNELS mt_kernels_neon

/* Four bytes as floats. */
static inline float32x4_t from_bytes(const uint8_t *bytes)
{
    uint32_t four;
    memcpy(&four, bytes, 4);
    return vcvtq_f32_u32(vmovl_u16(vget_low_u16(vmovl_u8(vcreate_u8(four)))));
}

#include "kernels_template.h"
