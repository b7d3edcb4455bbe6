/* FULLY_CONNECTED int16 x int8 with TensorFlow Lite Micro's wide arithmetic: a 64-bit sum and bias, one rounding.
 *
 * Where the generator proves that the products of a row fit 32 bits, they are summed there (tl_dense_wide); otherwise
 * in 64 (tl_dense_long). Weights are packed as dense_words.h says for int16. */
#ifndef TL_KERNELS_DENSE_WIDE_H
#define TL_KERNELS_DENSE_WIDE_H

#include <stdint.h>

#include "engine/kernels/dense.h"
#include "engine/kernels/dense_words.h"
#include "engine/kernels/fixed_point.h"
#include "engine/kernels/lanes.h"

static inline int16_t tl_dense_wide_value(const tl_dense *dense, int64_t sum, uint32_t row) {
    const uint32_t k = row * dense->per_row;
    const int32_t scaled = tl_scale_wide(sum + dense->wide_bias[row], dense->multiplier[k], dense->shift[k]);
    return (int16_t)tl_dense_clamp(dense, tl_wrapping_add(scaled, dense->zero_point));
}

/* output[rows] from lanes[2 * groups], products summed in 32 bits. */
static inline void tl_dense_wide(const tl_dense *dense, const uint32_t *lanes, int16_t *output) {
    const uint32_t *weights = dense->weights;
    for (uint32_t row = 0; row < dense->rows; row += TL_DENSE_ROWS) {
        int32_t sums[TL_DENSE_ROWS];
        weights = tl_dense_words_sums(weights, lanes, dense->groups, sums);
        const uint32_t rest = tl_dense_rest(dense, row);
        for (uint32_t i = 0; i < rest; ++i) {
            output[row + i] = tl_dense_wide_value(dense, sums[i], row + i);
        }
    }
}

/* output[rows] from lanes[2 * groups], products summed in 64 bits. */
static inline void tl_dense_long(const tl_dense *dense, const uint32_t *lanes, int16_t *output) {
    for (uint32_t row = 0; row < dense->rows; ++row) {
        const uint32_t *weights =
            dense->weights + row / TL_DENSE_ROWS * TL_DENSE_ROWS * dense->groups + row % TL_DENSE_ROWS;
        int64_t sum = 0;
        for (uint32_t k = 0; k < dense->groups; ++k) {
            const uint32_t word = weights[TL_DENSE_ROWS * k];
            sum = tl_multiply_add_long(tl_even_bytes(word), lanes[2u * k], sum);
            sum = tl_multiply_add_long(tl_odd_bytes(word), lanes[2u * k + 1u], sum);
        }
        output[row] = tl_dense_wide_value(dense, sum, row);
    }
}

#endif
