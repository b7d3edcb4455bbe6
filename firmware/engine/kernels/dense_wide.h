/* FULLY_CONNECTED int16 x int8 with TensorFlow Lite Micro's wide arithmetic (one rounding), where the generator proves
 * that the biased sum of every row fits 32 bits. Weights are packed as dense_words.h says for int16; `multiplier` is
 * the upper 15 bits that TFLM reduces it to, `shift` the bits to the right, 1 to 31. */
#ifndef TL_KERNELS_DENSE_WIDE_H
#define TL_KERNELS_DENSE_WIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/kernels/dense.h"
#include "engine/kernels/dense_words.h"
#include "engine/kernels/lanes.h"

/* The lower 32 bits of (x * multiplier + half) / 2^right, rounded down. */
static inline int32_t tl_scale_reduced(int32_t x, int32_t multiplier, uint32_t right) {
    const uint64_t product = (uint64_t)((int64_t)x * multiplier + (int32_t)(1u << (right - 1u)));
    return (int32_t)(((uint32_t)product >> right) | ((uint32_t)(product >> 32) << (32u - right)));
}

/* output[i] for `count` rows from `row`; `per_row` is a constant where it is called. */
static inline void tl_dense_wide_rows(const tl_dense *dense, const int32_t *sums, uint32_t row, uint32_t count,
                                      int16_t *output, bool per_row) {
    const int32_t *bias = dense->bias + row, *multiplier = dense->multiplier, *const end = sums + count;
    const int8_t *shift = dense->shift;
    const int32_t zero_point = dense->zero_point, minimum = dense->minimum, maximum = dense->maximum;
    if (per_row) {
        multiplier += row;
        shift += row;
    }
    int32_t factor = *multiplier;
    uint32_t right = (uint32_t)*shift;
    output += row;
    do {
        if (per_row) {
            factor = *multiplier++;
            right = (uint32_t)*shift++;
        }
        const int32_t scaled = tl_scale_reduced(*sums++ + *bias++, factor, right);
        *output++ = (int16_t)tl_clamp(tl_wrapping_add(scaled, zero_point), minimum, maximum);
    } while (sums < end);
}

/* output[rows] from lanes[2 * groups]. */
static inline void tl_dense_wide(const tl_dense *dense, const uint32_t *lanes, int16_t *output) {
    const uint32_t *weights = dense->weights;
    for (uint32_t row = 0; row < dense->rows; row += TL_DENSE_TOGETHER) {
        int32_t sums[TL_DENSE_TOGETHER];
        const uint32_t count = tl_dense_count(dense, row, TL_DENSE_TOGETHER);
        for (uint32_t i = 0; i < count; i += TL_DENSE_ROWS) {
            weights = tl_dense_words_sums(weights, lanes, dense->groups, sums + i);
        }
        if (dense->per_row) {
            tl_dense_wide_rows(dense, sums, row, count, output, true);
        } else {
            tl_dense_wide_rows(dense, sums, row, count, output, false);
        }
    }
}

#endif
