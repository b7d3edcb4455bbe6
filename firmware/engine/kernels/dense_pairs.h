/* FULLY_CONNECTED int8 x int8, fast form: two rows share a lane.
 *
 * A lane of a weight word is 256 * a + b, a weight of each of two rows; its low byte, sign-extended, is b. So with the
 * same inputs x, SMLAD over the words gives S = 256 * A + B and SMLAD over their even bytes (SXTB16) gives B: one load,
 * one SXTB16 and two SMLAD for four products, whatever the int8 inputs are. A = (S - B) / 256 is exact as long as the
 * row's sum A fits 24 bits, which the generator proves from the weights; B fits anyway.
 *
 * Packing: for each four rows and each four inputs, four words: rows (0, 1) at inputs (0, 2), rows (2, 3) at inputs (0,
 * 2), rows (0, 1) at inputs (1, 3), rows (2, 3) at inputs (1, 3); tl_widen_int8 brings the inputs in that order. */
#ifndef TL_KERNELS_DENSE_PAIRS_H
#define TL_KERNELS_DENSE_PAIRS_H

#include <stdint.h>

#include "engine/kernels/dense.h"
#include "engine/kernels/lanes.h"

/* sums = weights * input, four rows; returns the weights of the next four. */
static inline const uint32_t *tl_dense_pairs_sums(const uint32_t *weights, const uint32_t *lanes, uint32_t groups,
                                                  int32_t sums[4]) {
    int32_t both01 = 0, both23 = 0, odd1 = 0, odd3 = 0;
    for (; groups; --groups) {
        const uint32_t even = lanes[0], odd = lanes[1];
        const uint32_t a = weights[0], b = weights[1], c = weights[2], d = weights[3];
        both01 = tl_multiply_add(a, even, both01);
        both23 = tl_multiply_add(b, even, both23);
        both01 = tl_multiply_add(c, odd, both01);
        both23 = tl_multiply_add(d, odd, both23);
        odd1 = tl_multiply_add(tl_even_bytes(a), even, odd1);
        odd3 = tl_multiply_add(tl_even_bytes(b), even, odd3);
        odd1 = tl_multiply_add(tl_even_bytes(c), odd, odd1);
        odd3 = tl_multiply_add(tl_even_bytes(d), odd, odd3);
        lanes += 2;
        weights += 4;
    }
    sums[0] = (int32_t)((uint32_t)both01 - (uint32_t)odd1) >> 8;
    sums[1] = odd1;
    sums[2] = (int32_t)((uint32_t)both23 - (uint32_t)odd3) >> 8;
    sums[3] = odd3;
    return weights;
}

/* From the sums of up to four rows to outputs. */
static inline void tl_dense_pairs_finish(const tl_dense *dense, const int32_t sums[4], uint32_t row, int8_t *output) {
    const uint32_t rest = tl_dense_rest(dense, row), step = dense->per_row;
    const int32_t *bias = dense->bias + row, *multiplier = dense->multiplier + row * step;
    const int8_t *shift = dense->shift + row * step, *table = dense->table;
    const int32_t zero_point = dense->zero_point;
    for (uint32_t i = 0; i < rest; ++i) {
        const int32_t scaled = tl_scale_short(sums[i] + bias[i], *multiplier, *shift) + zero_point;
        const int32_t value = tl_dense_clamp(dense, scaled);
        output[row + i] = table ? table[value + 128] : (int8_t)value;
        multiplier += step;
        shift += step;
    }
}

/* output[rows] from lanes[2 * groups]; the sums take the short form of the scaling. */
static inline void tl_dense_pairs(const tl_dense *dense, const uint32_t *lanes, int8_t *output) {
    const uint32_t *weights = dense->weights;
    for (uint32_t row = 0; row < dense->rows; row += TL_DENSE_ROWS) {
        int32_t sums[TL_DENSE_ROWS];
        weights = tl_dense_pairs_sums(weights, lanes, dense->groups, sums);
        tl_dense_pairs_finish(dense, sums, row, output);
    }
}

#endif
