/* FULLY_CONNECTED int16 x int8 with TensorFlow Lite Micro's wide arithmetic, for any weights and biases: sums of 64
 * bits, one rounding. Weights are packed as dense_words.h says for int16. */
#ifndef TL_KERNELS_DENSE_LONG_H
#define TL_KERNELS_DENSE_LONG_H

#include <stdint.h>

#include "engine/kernels/dense.h"
#include "engine/kernels/fixed_point.h"
#include "engine/kernels/lanes.h"

/* output[rows] from lanes[2 * groups]. */
static inline void tl_dense_long(const tl_dense *dense, const uint32_t *lanes, int16_t *output) {
    for (uint32_t row = 0; row < dense->rows; ++row) {
        const uint32_t *weights =
            dense->weights + row / TL_DENSE_ROWS * TL_DENSE_ROWS * dense->groups + row % TL_DENSE_ROWS;
        int64_t sum = dense->wide_bias[row];
        for (uint32_t k = 0; k < dense->groups; ++k) {
            const uint32_t word = weights[TL_DENSE_ROWS * k];
            sum = tl_multiply_add_long(tl_even_bytes(word), lanes[2u * k], sum);
            sum = tl_multiply_add_long(tl_odd_bytes(word), lanes[2u * k + 1u], sum);
        }
        const uint32_t k = row * dense->per_row;
        const int32_t scaled = tl_scale_wide(sum, dense->multiplier[k], dense->shift[k]);
        output[row] = (int16_t)tl_clamp(tl_wrapping_add(scaled, dense->zero_point), dense->minimum, dense->maximum);
    }
}

#endif
