/* FULLY_CONNECTED on int8: four rows at a time, so that each input is loaded once for all of them. */
#ifndef TL_COMPILED_DENSE_H
#define TL_COMPILED_DENSE_H

#include <stdint.h>
#include <string.h>

#include "requantize.h"
#include "simd.h"

#define TL_DENSE_ROWS 4u

#if defined(__ARM_FEATURE_DSP)
/* Words of a row (four weights each) that are one straight block of code: 16 are a layer of 64. The rest of a row, an
 * even number of words, is done two at a time. */
#define TL_DENSE_BLOCK 16u
#define TL_DENSE_STEP 2u

/* Four rows times four inputs, 16 products in 19 cycles: the k-th word of the rows at r0 and of the inputs at r1. The
 * six loads stand together because the core pipelines them. */
#define TL_MULTIPLY(k)                                                                                                 \
    "ldr r8, [r1, #8*" #k "]\n\t"                                                                                      \
    "ldr r9, [r1, #8*" #k "+4]\n\t"                                                                                    \
    "ldr r10, [r0, #16*" #k "]\n\t"                                                                                    \
    "ldr r11, [r0, #16*" #k "+4]\n\t"                                                                                  \
    "ldr r12, [r0, #16*" #k "+8]\n\t"                                                                                  \
    "ldr lr, [r0, #16*" #k "+12]\n\t"                                                                                  \
    "smlad r4, r10, r8, r4\n\t"                                                                                        \
    "smlad r5, r11, r8, r5\n\t"                                                                                        \
    "smlad r6, r12, r8, r6\n\t"                                                                                        \
    "smlad r7, lr, r8, r7\n\t"                                                                                         \
    "sxtb16 r10, r10\n\t"                                                                                              \
    "sxtb16 r11, r11\n\t"                                                                                              \
    "sxtb16 r12, r12\n\t"                                                                                              \
    "sxtb16 lr, lr\n\t"                                                                                                \
    "smlad r4, r10, r9, r4\n\t"                                                                                        \
    "smlad r5, r11, r9, r5\n\t"                                                                                        \
    "smlad r6, r12, r9, r6\n\t"                                                                                        \
    "smlad r7, lr, r9, r7\n\t"

/* acc[rows] = 256 * (bias + weights * input), rows rounded up to a multiple of four. `kernel` is what
 * toolchain/codegen/topology.py describes: for each four rows their biases, then their weights, word beside word.
 *
 * By hand, because the loop needs every register: gcc keeps sums on the stack. r0 kernel, r1 input, r2 count, r3 what
 * does not fit, r4-r7 sums. */
static __attribute__((noinline)) void tl_accumulate(const uint32_t *kernel, const tl_inputs *inputs, unsigned rows,
                                                    unsigned row_words, int32_t *acc) {
    struct {
        const tl_inputs *inputs;
        uint32_t blocks;
        uint32_t steps;
        int32_t *acc;
        const int32_t *end;
    } rest = {inputs, row_words / TL_DENSE_BLOCK, row_words % TL_DENSE_BLOCK / TL_DENSE_STEP, acc, acc + rows};
    register const uint32_t *next __asm__("r0") = kernel;
    register void *kept __asm__("r3") = &rest;
    /* clang-format off */
    __asm__ volatile(
        "1:\n\t"
        "ldmia r0!, {r4-r7}\n\t"
        "ldrd r1, r2, [r3]\n\t"
        "cmp r2, #0\n\t"
        "beq.w 3f\n\t"
        "2:\n\t" /* 16 words */
        TL_MULTIPLY(0) TL_MULTIPLY(1) TL_MULTIPLY(2) TL_MULTIPLY(3)
        TL_MULTIPLY(4) TL_MULTIPLY(5) TL_MULTIPLY(6) TL_MULTIPLY(7)
        TL_MULTIPLY(8) TL_MULTIPLY(9) TL_MULTIPLY(10) TL_MULTIPLY(11)
        TL_MULTIPLY(12) TL_MULTIPLY(13) TL_MULTIPLY(14) TL_MULTIPLY(15)
        "add r1, r1, #8*16\n\t"
        "add r0, r0, #16*16\n\t"
        "subs r2, r2, #1\n\t"
        "bne.w 2b\n\t"
        "3:\n\t"
        "ldr r2, [r3, #8]\n\t"
        "cmp r2, #0\n\t"
        "beq.w 5f\n\t"
        "4:\n\t" /* 2 words */
        TL_MULTIPLY(0) TL_MULTIPLY(1)
        "add r1, r1, #8*2\n\t"
        "add r0, r0, #16*2\n\t"
        "subs r2, r2, #1\n\t"
        "bne.w 4b\n\t"
        "5:\n\t"
        "ldr r1, [r3, #12]\n\t"
        "ldr r2, [r3, #16]\n\t"
        "stmia r1!, {r4-r7}\n\t"
        "str r1, [r3, #12]\n\t"
        "cmp r1, r2\n\t"
        "blo.w 1b"
        : "+r"(next), "+r"(kept)
        :
        : "r1", "r2", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory");
    /* clang-format on */
}
#else
/* acc[rows] = 256 * (bias + weights * input), rows rounded up to a multiple of four. `kernel` is what
 * toolchain/codegen/topology.py describes: for each four rows their biases, then their weights, word beside word. */
static inline void tl_accumulate(const uint32_t *kernel, const tl_inputs *inputs, unsigned rows, unsigned row_words,
                                 int32_t *acc) {
    for (const int32_t *end = acc + rows; acc < end; acc += TL_DENSE_ROWS) {
        memcpy(acc, kernel, TL_DENSE_ROWS * sizeof *acc);
        kernel += TL_DENSE_ROWS;
        for (unsigned k = 0; k < row_words; ++k) {
            const uint32_t high = inputs[k].high, low = inputs[k].low;
            for (unsigned row = 0; row < TL_DENSE_ROWS; ++row) {
                const uint32_t word = *kernel++;
                acc[row] += tl_lane(word, 0) * tl_lane(high, 0) + tl_byte(word, 0) * tl_lane(low, 0) +
                            tl_lane(word, 16) * tl_lane(high, 16) + tl_byte(word, 16) * tl_lane(low, 16);
            }
        }
    }
}
#endif

/* output[i] = table[q + 128], or q where there is no table (a constant NULL), with q = acc[i] requantized. */
TL_ALWAYS_INLINE void tl_finish(const int32_t *acc, const tl_requantization *record, unsigned rows, const int8_t *table,
                                int8_t *output) {
    const int32_t multiplier = record->multiplier;
    const int32_t offset = tl_requantize_offset(record);
    const unsigned right = (unsigned)-record->shift;
    const int8_t *middle = table ? table + 128 : NULL;
    const int8_t *end = output + rows;
    while (end - output >= (int)TL_DENSE_ROWS) {
        int32_t q[TL_DENSE_ROWS];
        tl_requantize_four(acc, multiplier, right, offset, q);
        if (middle) {
            /* All loads before the first store, which might lie in the table for all that the compiler knows. */
            const int8_t a = middle[q[0]], b = middle[q[1]], c = middle[q[2]], d = middle[q[3]];
            q[0] = a, q[1] = b, q[2] = c, q[3] = d;
        }
#pragma GCC unroll 4
        for (unsigned i = 0; i < TL_DENSE_ROWS; ++i) {
            output[i] = (int8_t)q[i];
        }
        acc += TL_DENSE_ROWS;
        output += TL_DENSE_ROWS;
    }
    for (; output < end; ++output, ++acc) {
        const int32_t q = tl_requantize(*acc, multiplier, right, offset);
        *output = middle ? middle[q] : (int8_t)q;
    }
}

/* Gathers int8 values in [-127, 127] for tl_accumulate; the last word is padded with zeros. */
TL_ALWAYS_INLINE void tl_gather(const int8_t *values, unsigned count, tl_inputs *inputs) {
    uint32_t word;
    unsigned k = 0;
#pragma GCC unroll 4
    for (; k < count / 4u; ++k) {
        memcpy(&word, values + 4u * k, sizeof word);
        inputs[k] = tl_inputs_from(word);
    }
    if (count % 4u != 0u) {
        word = 0;
        memcpy(&word, values + 4u * k, count % 4u);
        inputs[k] = tl_inputs_from(word);
    }
}

#endif
