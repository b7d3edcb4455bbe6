/* FULLY_CONNECTED int8 x int8, fast form: two rows share a lane.
 *
 * A lane of a weight word is 256 * a + b, a weight of each of two rows; its low byte, sign-extended, is b. So with the
 * same inputs x, SMLAD over the words gives S = 256 * A + B and SMLAD over their even bytes (SXTB16) gives B: one load,
 * one SXTB16 and two SMLAD for four products, whatever the int8 inputs are. A = (S - B) / 256 is exact as long as the
 * row's sum A fits 24 bits, which the generator proves from the weights; B fits anyway.
 *
 * Multipliers are TFLM's, shifts are to the right, 1 to 31: the short form of the scaling (tl_scale_short).
 *
 * Packing: for each four rows and each four inputs, four words: rows (0, 1) at inputs (0, 2), rows (2, 3) at inputs (0,
 * 2), rows (0, 1) at inputs (1, 3), rows (2, 3) at inputs (1, 3); tl_widen_int8 brings the inputs in that order. */
#ifndef TL_KERNELS_DENSE_PAIRS_H
#define TL_KERNELS_DENSE_PAIRS_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/kernels/dense.h"
#include "engine/kernels/lanes.h"

#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__)
/* Four rows times four inputs, the k-th group. The six loads stand together because the core pipelines them; gcc left
 * to itself scatters them, which costs a quarter more. */
#define TL_PAIRS_GROUP(k)                                                                                              \
    "ldr %[even], [%[lanes], #8*" #k "]\n\t"                                                                           \
    "ldr %[odd], [%[lanes], #8*" #k "+4]\n\t"                                                                          \
    "ldr %[a], [%[weights], #16*" #k "]\n\t"                                                                           \
    "ldr %[b], [%[weights], #16*" #k "+4]\n\t"                                                                         \
    "ldr %[c], [%[weights], #16*" #k "+8]\n\t"                                                                         \
    "ldr %[d], [%[weights], #16*" #k "+12]\n\t"                                                                        \
    "smlad %[both01], %[a], %[even], %[both01]\n\t"                                                                    \
    "smlad %[both23], %[b], %[even], %[both23]\n\t"                                                                    \
    "smlad %[both01], %[c], %[odd], %[both01]\n\t"                                                                     \
    "smlad %[both23], %[d], %[odd], %[both23]\n\t"                                                                     \
    "sxtb16 %[a], %[a]\n\t"                                                                                            \
    "sxtb16 %[b], %[b]\n\t"                                                                                            \
    "sxtb16 %[c], %[c]\n\t"                                                                                            \
    "sxtb16 %[d], %[d]\n\t"                                                                                            \
    "smlad %[odd1], %[a], %[even], %[odd1]\n\t"                                                                        \
    "smlad %[odd3], %[b], %[even], %[odd3]\n\t"                                                                        \
    "smlad %[odd1], %[c], %[odd], %[odd1]\n\t"                                                                         \
    "smlad %[odd3], %[d], %[odd], %[odd3]\n\t"

/* Groups of a straight block. */
#define TL_PAIRS_BLOCK 2u
#endif

/* sums = weights * input, four rows; returns the weights of the next four. */
static inline const uint32_t *tl_dense_pairs_sums(const uint32_t *weights, const uint32_t *lanes, uint32_t groups,
                                                  int32_t sums[4]) {
    int32_t both01 = 0, both23 = 0, odd1 = 0, odd3 = 0;
#if defined(TL_PAIRS_BLOCK)
    uint32_t blocks = groups / TL_PAIRS_BLOCK;
    groups %= TL_PAIRS_BLOCK;
    if (blocks) {
        uint32_t even, odd, a, b, c, d;
        __asm__("1:\n\t" TL_PAIRS_GROUP(0) TL_PAIRS_GROUP(1) "add %[lanes], #16\n\t"
                                                             "add %[weights], #32\n\t"
                                                             "subs %[blocks], #1\n\t"
                                                             "bne 1b"
                : [lanes] "+r"(lanes), [weights] "+r"(weights), [blocks] "+r"(blocks), [both01] "+r"(both01),
                  [both23] "+r"(both23), [odd1] "+r"(odd1), [odd3] "+r"(odd3), [even] "=&r"(even), [odd] "=&r"(odd),
                  [a] "=&r"(a), [b] "=&r"(b), [c] "=&r"(c), [d] "=&r"(d)
                :
                : "cc", "memory");
    }
#endif
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

/* output[i] for `count` rows from `row`. `per_row` and `with_table` are constants where it is called, so each call is a
 * loop of its own. Everything is a local: a store to an int8_t might change what a pointer leads to, so the compiler
 * would load it again for each row. */
static inline void tl_dense_pairs_rows(const tl_dense *dense, const int32_t *sums, uint32_t row, uint32_t count,
                                       int8_t *output, bool per_row, bool with_table) {
    const int32_t *bias = dense->bias + row, *multiplier = dense->multiplier, *const end = sums + count;
    const int8_t *shift = dense->shift, *middle = with_table ? dense->table + 128 : NULL;
    const int32_t zero_point = dense->zero_point, minimum = dense->minimum, maximum = dense->maximum;
    if (per_row) {
        multiplier += row;
        shift += row;
    }
    int32_t factor = *multiplier, right = *shift;
    output += row;
    do {
        if (per_row) {
            factor = *multiplier++;
            right = *shift++;
        }
        int32_t value = tl_scale_short(*sums++ + *bias++, factor, right) + zero_point;
        if (with_table) {
            *output++ = middle[tl_saturate_int8(value)];
        } else {
            value = value < minimum ? minimum : value;
            *output++ = (int8_t)(value > maximum ? maximum : value);
        }
    } while (sums < end);
}

static inline void tl_dense_pairs_finish(const tl_dense *dense, const int32_t *sums, uint32_t row, uint32_t count,
                                         int8_t *output) {
    if (dense->table) {
        if (dense->per_row) {
            tl_dense_pairs_rows(dense, sums, row, count, output, true, true);
        } else {
            tl_dense_pairs_rows(dense, sums, row, count, output, false, true);
        }
    } else {
        if (dense->per_row) {
            tl_dense_pairs_rows(dense, sums, row, count, output, true, false);
        } else {
            tl_dense_pairs_rows(dense, sums, row, count, output, false, false);
        }
    }
}

/* output[rows] from lanes[2 * groups]; the sums take the short form of the scaling, the table holds the clamping. */
static inline void tl_dense_pairs(const tl_dense *dense, const uint32_t *lanes, int8_t *output) {
    const uint32_t *weights = dense->weights;
    for (uint32_t row = 0; row < dense->rows; row += TL_DENSE_TOGETHER) {
        int32_t sums[TL_DENSE_TOGETHER];
        const uint32_t count = tl_dense_count(dense, row, TL_DENSE_TOGETHER);
        for (uint32_t i = 0; i < count; i += TL_DENSE_ROWS) {
            weights = tl_dense_pairs_sums(weights, lanes, dense->groups, sums + i);
        }
        tl_dense_pairs_finish(dense, sums, row, count, output);
    }
}

#endif
