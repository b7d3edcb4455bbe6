/* SOFTMAX over rows of `depth` elements. Parameters and tables are those of toolchain/int8/ops/softmax.py, which also
 * bounds `depth`. The output may be the input where both have one type. */
#ifndef TL_KERNELS_SOFTMAX_H
#define TL_KERNELS_SOFTMAX_H

#include <stdint.h>

#include "engine/kernels/fixed_point.h"

typedef struct {
    int32_t multiplier;
    int32_t shift;
} tl_softmax16_parameters;

/* Integer bits of the sum of exponentials. */
#define TL_SOFTMAX_SUM_BITS 12

/* Leading zeros of a number that is not 0. */
static inline uint32_t tl_leading_zeros(uint32_t x) {
    return (uint32_t)__builtin_clz(x);
}

/* 1 / (1 + a) for a in [0, 1), Q0.31: Newton's method on half the denominator, in Q2.29, from the line
 * 48/17 - 32/17 d; TFLM takes it from gemmlowp's `fixedpoint.h`. */
static inline int32_t tl_one_over_one_plus(int32_t a) {
    const int32_t half_denominator = (int32_t)(((uint32_t)a + 0x80000000u) >> 1);
    int32_t x = 1515870810 + tl_doubling_high_product(half_denominator, -1010580540);
    for (uint32_t i = 0; i < 3u; ++i) {
        const int32_t rest = (1 << 29) - tl_doubling_high_product(half_denominator, x);
        x += 4 * tl_doubling_high_product(rest, x);
    }
    return x > (1 << 30) - 1 ? INT32_MAX : 2 * x;
}

static inline int32_t tl_softmax_largest_int8(const int8_t *row, uint32_t depth) {
    int32_t largest = row[0];
    for (uint32_t i = 1; i < depth; ++i) {
        largest = row[i] > largest ? row[i] : largest;
    }
    return largest;
}

static inline int32_t tl_softmax_sum(const int32_t exponentials[256], int32_t largest, const int8_t *row,
                                     uint32_t depth) {
    int32_t sum = 0;
    for (uint32_t i = 0; i < depth; ++i) {
        sum += tl_rounding_shift_right(exponentials[largest - row[i]], TL_SOFTMAX_SUM_BITS);
    }
    return sum;
}

/* `bits` of the output's type; its smallest number stands for 0. */
#define TL_SOFTMAX(function, type, bits)                                                                               \
    static inline void function(const int32_t exponentials[256], uint32_t depth, const int8_t *input, type *output,    \
                                uint32_t rows) {                                                                       \
        for (uint32_t r = 0; r < rows; ++r, input += depth, output += depth) {                                         \
            const int32_t largest = tl_softmax_largest_int8(input, depth);                                             \
            const uint32_t sum = (uint32_t)tl_softmax_sum(exponentials, largest, input, depth);                        \
            const uint32_t zeros = tl_leading_zeros(sum);                                                              \
            const int32_t reciprocal = tl_one_over_one_plus((int32_t)((sum << zeros) - 0x80000000u));                  \
            const uint32_t exponent = TL_SOFTMAX_SUM_BITS - zeros + 31u - bits;                                        \
            for (uint32_t i = 0; i < depth; ++i) {                                                                     \
                const int32_t product = tl_doubling_high_product(reciprocal, exponentials[largest - input[i]]);        \
                const int32_t level = tl_rounding_shift_right(product, exponent);                                      \
                output[i] = (type)tl_clamp(level - (1 << (bits - 1)), -(1 << (bits - 1)), (1 << (bits - 1)) - 1);      \
            }                                                                                                          \
        }                                                                                                              \
    }

TL_SOFTMAX(tl_softmax_int8, int8_t, 8)
TL_SOFTMAX(tl_softmax_int8_int16, int16_t, 16)

/* Table of 512 steps over int16, interpolated. */
static inline int32_t tl_softmax16_interpolated(const int16_t table[513], int32_t x) {
    const int32_t index = 256 + (x >> 7);
    const int32_t slope = table[index + 1] - table[index];
    return table[index] + ((slope * (x & 0x7F) + 64) >> 7);
}

static inline void tl_softmax_int16(const tl_softmax16_parameters *p, const int16_t exp_table[513],
                                    const int16_t reciprocal_table[513], uint32_t depth, const int16_t *input,
                                    int16_t *output, uint32_t rows) {
    for (uint32_t r = 0; r < rows; ++r, input += depth, output += depth) {
        int32_t largest = input[0];
        for (uint32_t i = 1; i < depth; ++i) {
            largest = input[i] > largest ? input[i] : largest;
        }
        uint32_t sum = 0;
        for (uint32_t i = 0; i < depth; ++i) {
            const int32_t scaled = tl_wrapping_add(tl_scale(input[i] - largest, p->multiplier, p->shift), 32767);
            const int32_t exponential = tl_softmax16_interpolated(exp_table, tl_clamp(scaled, INT16_MIN, INT16_MAX));
            output[i] = (int16_t)exponential;
            sum += (uint32_t)exponential;
        }
        const uint32_t zeros = tl_leading_zeros(sum);
        const int32_t normal = (int32_t)(((sum << (zeros - 1u)) + (1u << 13)) >> 14);
        const int32_t reciprocal =
            tl_softmax16_interpolated(reciprocal_table, tl_clamp(normal - (1 << 15) - (1 << 16), INT16_MIN, INT16_MAX));
        const uint32_t right = 31u - zeros;
        for (uint32_t i = 0; i < depth; ++i) {
            const int32_t level = (output[i] * reciprocal + (int32_t)(1u << (right - 1u))) >> right;
            output[i] = (int16_t)tl_clamp(level, 0, INT16_MAX);
        }
    }
}

#endif
