/* What every FULLY_CONNECTED kernel shares: its description, and from a sum to an output. */
#ifndef TL_KERNELS_DENSE_H
#define TL_KERNELS_DENSE_H

#include <stddef.h>
#include <stdint.h>

#include "engine/kernels/fixed_point.h"

/* Rows are done four at a time, inputs in groups of four; what is missing is filled with zero weights. */
#define TL_DENSE_ROWS 4u

/* Rows whose sums are finished together: the set-up of that loop is paid once for them. */
#define TL_DENSE_TOGETHER 16u

/* One FULLY_CONNECTED. `weights` are packed as the kernel that reads them says. Rows share one multiplier and shift
 * (`per_row` 0) or have their own (`per_row` 1). The input's zero point is folded into the bias. */
typedef struct {
    const uint32_t *weights;
    const int32_t *bias;      /* one each row; NULL where wide_bias is used */
    const int64_t *wide_bias; /* one each row; NULL where bias is used */
    const int32_t *multiplier;
    const int8_t *shift; /* bits to the left, or as the kernel says */
    const int8_t *table; /* output = table[number + 128], clamping included; NULL for none */
    uint32_t rows;
    uint32_t groups; /* of four inputs */
    uint32_t per_row;
    int32_t zero_point;
    int32_t minimum;
    int32_t maximum;
} tl_dense;

/* Rows that are left from `row` on, at most `most`. */
static inline uint32_t tl_dense_count(const tl_dense *dense, uint32_t row, uint32_t most) {
    const uint32_t rest = dense->rows - row;
    return rest < most ? rest : most;
}

/* TFLM's two roundings for a sum that the generator has proven smaller than 2^30, and a shift right of 1 to 31. The
 * first is to nearest, halves upwards, of sum * multiplier / 2^31; the second to nearest, halves away from zero: add a
 * half, one less below zero, and shift. */
static inline int32_t tl_scale_short(int32_t sum, int32_t multiplier, int32_t right) {
    const int32_t high = tl_high_product(2 * sum, multiplier);
    return (high + (high >> 31) + (int32_t)(1u << (right - 1))) >> right;
}

static inline int32_t tl_saturate_int8(int32_t value) {
#if defined(__ARM_FEATURE_SAT) && defined(__GNUC__)
    int32_t saturated;
    __asm__("ssat %0, #8, %1" : "=r"(saturated) : "r"(value));
    return saturated;
#else
    value = value < INT8_MIN ? INT8_MIN : value;
    return value > INT8_MAX ? INT8_MAX : value;
#endif
}

#endif
