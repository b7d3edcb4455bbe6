/* FULLY_CONNECTED on int8: two rows at a time, whole words of four inputs, no tail.
 *
 * Everything is inlined into calls with constant sizes (generated engine_compiled.c), so a row of up to
 * TL_DENSE_BLOCK_WORDS words becomes one straight block of code. */
#ifndef TL_COMPILED_DENSE_H
#define TL_COMPILED_DENSE_H

#include <stdint.h>

#include "requantize.h"
#include "simd.h"

/* 32 words are 128 inputs: one block for every row of the usual two layers of 64. */
#define TL_DENSE_BLOCK_WORDS 32u

/* output[rows] = requantized(bias + weights * input). `bias` holds and `weights` has rows for an even number of rows,
 * each row `row_words` words, the padding zero. */
TL_ALWAYS_INLINE void tl_dense(const tl_requantization *requantization, const int32_t *bias, const uint32_t *weights,
                               const uint32_t *input, unsigned rows, unsigned row_words, int8_t *output) {
    const int32_t multiplier = requantization->multiplier;
    const int32_t zero_point = requantization->zero_point;
    const unsigned right = (unsigned)-requantization->shift;

    for (unsigned row = 0; row < rows; row += 2u) {
        int32_t first = bias[row];
        int32_t second = bias[row + 1u];
        const uint32_t *next = weights + row_words;
        unsigned k = 0;
        for (; k + TL_DENSE_BLOCK_WORDS <= row_words; k += TL_DENSE_BLOCK_WORDS) {
#pragma GCC unroll 32
            for (unsigned i = 0; i < TL_DENSE_BLOCK_WORDS; ++i) {
                first = tl_dot4(first, weights[k + i], input[k + i]);
                second = tl_dot4(second, next[k + i], input[k + i]);
            }
        }
#pragma GCC unroll 32
        for (; k < row_words; ++k) {
            first = tl_dot4(first, weights[k], input[k]);
            second = tl_dot4(second, next[k], input[k]);
        }
        weights = next + row_words;
        output[row] = tl_requantize(first, multiplier, right, zero_point);
        if (row + 1u < rows) {
            output[row + 1u] = tl_requantize(second, multiplier, right, zero_point);
        }
    }
}

/* output[i] = table[input[i] + 128], in place. */
TL_ALWAYS_INLINE void tl_activate(const int8_t *table, int8_t *values, unsigned count) {
#pragma GCC unroll 8
    for (unsigned i = 0; i < count; ++i) {
        values[i] = table[values[i] + 128];
    }
}

#endif
