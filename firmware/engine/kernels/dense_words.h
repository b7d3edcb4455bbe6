/* FULLY_CONNECTED with sums of 32 bits, for any weights: four weights in a word, its even and odd bytes widened.
 *
 * Packing: for each four rows and each four inputs, a word of each row. Bytes 0 to 3 are the weights of inputs 0, 1, 2,
 * 3 for int8 inputs (tl_widen_int8) and 0, 2, 1, 3 for int16 (tl_widen_int16): even bytes meet the first word of lanes.
 * Sums wrap at 32 bits, as TensorFlow Lite Micro's do. */
#ifndef TL_KERNELS_DENSE_WORDS_H
#define TL_KERNELS_DENSE_WORDS_H

#include <stdint.h>

#include "engine/kernels/dense.h"
#include "engine/kernels/fixed_point.h"
#include "engine/kernels/lanes.h"

#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__)
/* Two rows times four inputs, in the k-th group. Loads stand together because the core pipelines them. */
#define TL_WORDS_TWO_ROWS(k, offset, s, t)                                                                             \
    "ldr %[a], [%[weights], #16*" #k "+" #offset "]\n\t"                                                               \
    "ldr %[b], [%[weights], #16*" #k "+4+" #offset "]\n\t"                                                             \
    "sxtb16 %[c], %[a]\n\t"                                                                                            \
    "sxtb16 %[a], %[a], ror #8\n\t"                                                                                    \
    "smlad %[" #s "], %[c], %[first], %[" #s "]\n\t"                                                                   \
    "sxtb16 %[c], %[b]\n\t"                                                                                            \
    "sxtb16 %[b], %[b], ror #8\n\t"                                                                                    \
    "smlad %[" #t "], %[c], %[first], %[" #t "]\n\t"                                                                   \
    "smlad %[" #s "], %[a], %[second], %[" #s "]\n\t"                                                                  \
    "smlad %[" #t "], %[b], %[second], %[" #t "]\n\t"

#define TL_WORDS_GROUP(k)                                                                                              \
    "ldr %[first], [%[lanes], #8*" #k "]\n\t"                                                                          \
    "ldr %[second], [%[lanes], #8*" #k "+4]\n\t" TL_WORDS_TWO_ROWS(k, 0, s0, s1) TL_WORDS_TWO_ROWS(k, 8, s2, s3)

/* Groups of a straight block. */
#define TL_WORDS_BLOCK 2u
#endif

/* sums = weights * input, four rows; returns the weights of the next four. */
static inline const uint32_t *tl_dense_words_sums(const uint32_t *weights, const uint32_t *lanes, uint32_t groups,
                                                  int32_t sums[4]) {
    int32_t s0 = 0, s1 = 0, s2 = 0, s3 = 0;
#if defined(TL_WORDS_BLOCK)
    uint32_t blocks = groups / TL_WORDS_BLOCK;
    groups %= TL_WORDS_BLOCK;
    if (blocks) {
        uint32_t first, second, a, b, c;
        __asm__("1:\n\t" TL_WORDS_GROUP(0) TL_WORDS_GROUP(1) "add %[lanes], #16\n\t"
                                                             "add %[weights], #32\n\t"
                                                             "subs %[blocks], #1\n\t"
                                                             "bne 1b"
                : [lanes] "+r"(lanes), [weights] "+r"(weights), [blocks] "+r"(blocks), [s0] "+r"(s0), [s1] "+r"(s1),
                  [s2] "+r"(s2), [s3] "+r"(s3), [first] "=&r"(first), [second] "=&r"(second), [a] "=&r"(a),
                  [b] "=&r"(b), [c] "=&r"(c)
                :
                : "cc", "memory");
    }
#endif
    for (; groups; --groups) {
        const uint32_t first = lanes[0], second = lanes[1];
        const uint32_t a = weights[0], b = weights[1], c = weights[2], d = weights[3];
        s0 = tl_multiply_add(tl_odd_bytes(a), second, tl_multiply_add(tl_even_bytes(a), first, s0));
        s1 = tl_multiply_add(tl_odd_bytes(b), second, tl_multiply_add(tl_even_bytes(b), first, s1));
        s2 = tl_multiply_add(tl_odd_bytes(c), second, tl_multiply_add(tl_even_bytes(c), first, s2));
        s3 = tl_multiply_add(tl_odd_bytes(d), second, tl_multiply_add(tl_even_bytes(d), first, s3));
        lanes += 2;
        weights += 4;
    }
    sums[0] = s0;
    sums[1] = s1;
    sums[2] = s2;
    sums[3] = s3;
    return weights;
}

/* Two roundings, any multiplier and shift that TensorFlow Lite Micro takes. */
static inline int32_t tl_dense_words_value(const tl_dense *dense, int32_t sum, uint32_t row) {
    const uint32_t k = row * dense->per_row;
    const int32_t scaled = tl_scale(tl_wrapping_add(sum, dense->bias[row]), dense->multiplier[k], dense->shift[k]);
    return tl_clamp(tl_wrapping_add(scaled, dense->zero_point), dense->minimum, dense->maximum);
}

/* int8 inputs and outputs: output[rows] from lanes[2 * groups]. */
static inline void tl_dense_words_int8(const tl_dense *dense, const uint32_t *lanes, int8_t *output) {
    const uint32_t *weights = dense->weights;
    for (uint32_t row = 0; row < dense->rows; row += TL_DENSE_ROWS) {
        int32_t sums[TL_DENSE_ROWS];
        weights = tl_dense_words_sums(weights, lanes, dense->groups, sums);
        const uint32_t rest = tl_dense_count(dense, row, TL_DENSE_ROWS);
        for (uint32_t i = 0; i < rest; ++i) {
            const int32_t value = tl_dense_words_value(dense, sums[i], row + i);
            output[row + i] = dense->table ? dense->table[value + 128] : (int8_t)value;
        }
    }
}

/* int16 inputs and outputs with an int32 bias. */
static inline void tl_dense_words_int16(const tl_dense *dense, const uint32_t *lanes, int16_t *output) {
    const uint32_t *weights = dense->weights;
    for (uint32_t row = 0; row < dense->rows; row += TL_DENSE_ROWS) {
        int32_t sums[TL_DENSE_ROWS];
        weights = tl_dense_words_sums(weights, lanes, dense->groups, sums);
        const uint32_t rest = tl_dense_count(dense, row, TL_DENSE_ROWS);
        for (uint32_t i = 0; i < rest; ++i) {
            output[row + i] = (int16_t)tl_dense_words_value(dense, sums[i], row + i);
        }
    }
}

#endif
