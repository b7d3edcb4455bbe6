/* FULLY_CONNECTED on int8: eight rows at a time, so that each input is loaded once for all of them. */
#ifndef TL_COMPILED_DENSE_H
#define TL_COMPILED_DENSE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "requantize.h"
#include "simd.h"

#define TL_DENSE_ROWS 8u

/* One FULLY_CONNECTED. `kernel` is what toolchain/codegen/topology.py describes: for each eight rows their first sums,
 * then their weights. */
typedef struct {
    const uint32_t *kernel;
    const tl_quad *inputs;
    uint32_t quads;
    uint32_t rows;
    uint32_t correction; /* tl_gather's over the inputs */
    const tl_requantization *record;
    const int8_t *table; /* output = table[q + 128], or q where it is NULL */
    int8_t *output;
} tl_dense;

#if defined(__ARM_FEATURE_DSP) && defined(__ARM_FP)
/* Quads of inputs that are one straight block of code: 16 are a layer of 64. The last multiple of 16 quads runs through
 * all of it, what is left jumps into its middle first. */
#define TL_DENSE_BLOCK 16u
#define TL_DENSE_QUAD_BYTES 98u

/* r4 and r5, a pair of words of rows 2 * i and 2 * i + 1, into their sums. */
#define TL_MULTIPLY(both, lower)                                                                                       \
    "smlad " both ", r4, r2, " both "\n\t"                                                                             \
    "smlad " both ", r5, r3, " both "\n\t"                                                                             \
    "sxtab16 r4, r3, r4\n\t"                                                                                           \
    "sxtab16 r5, r2, r5\n\t"                                                                                           \
    "smlad " lower ", r4, r5, " lower "\n\t"

/* Eight rows times four inputs, 32 products in 34 cycles. The first four loads stand together because the core
 * pipelines them. */
#define TL_QUAD(k)                                                                                                     \
    "ldr.n r2, [r1, #8*" #k "]\n\t"                                                                                    \
    "ldr.n r3, [r1, #8*" #k "+4]\n\t"                                                                                  \
    "ldr.w r4, [r0], #4\n\t"                                                                                           \
    "ldr.w r5, [r0], #4\n\t" TL_MULTIPLY("r6", "r7") "ldmia r0!, {r4, r5}\n\t" TL_MULTIPLY("r8", "r9")                 \
        "ldmia r0!, {r4, r5}\n\t" TL_MULTIPLY("r10", "r11") "ldmia r0!, {r4, r5}\n\t" TL_MULTIPLY("r12", "lr")

#define TL_REQUANTIZE(sum)                                                                                             \
    "add r2, r4, " sum ", asr #31\n\t"                                                                                 \
    "smmlar " sum ", " sum ", r3, r2\n\t"                                                                              \
    "asr " sum ", " sum ", r5\n\t"                                                                                     \
    "ssat " sum ", #8, " sum "\n\t"

/* By hand, because the block needs every register: r0 weights, r1 inputs, r2-r5 at work, the rest sums. What stays the
 * same for all rows waits in the FPU's registers, from where it comes in one cycle. */
static __attribute__((noinline)) void tl_dense_run(const tl_dense *dense) {
    const uint32_t first = (dense->quads - 1u) % TL_DENSE_BLOCK + 1u;
    const uint32_t skipped = TL_DENSE_BLOCK - first;
    int8_t rest[TL_DENSE_ROWS];
    const uint32_t whole = dense->rows / TL_DENSE_ROWS * TL_DENSE_ROWS;
    struct {
        uint32_t correction;  /* s0 */
        int32_t multiplier;   /* s1 */
        int32_t offset;       /* s2 */
        int32_t right;        /* s3 */
        uintptr_t inputs;     /* s4: less what is skipped */
        uint32_t entry;       /* s5: bytes of code skipped, then the address */
        const int8_t *middle; /* s6 */
        int8_t *output;       /* s7 */
        const int8_t *end;    /* s8: of whole groups of rows */
        uintptr_t inputs_end; /* s9 */
        int8_t *rest;         /* s10: where the last rows go, or NULL */
    } frame = {dense->correction,
               dense->record->multiplier,
               tl_requantize_offset(dense->record),
               -dense->record->shift,
               (uintptr_t)dense->inputs - skipped * sizeof *dense->inputs,
               skipped * TL_DENSE_QUAD_BYTES,
               dense->table ? dense->table + 128 : NULL,
               dense->output,
               dense->output + whole,
               (uintptr_t)(dense->inputs + dense->quads),
               whole == dense->rows ? NULL : rest};
    register const uint32_t *next __asm__("r0") = dense->kernel;
    register void *kept __asm__("r1") = &frame;
    /* clang-format off */
    __asm__ volatile(
        "vldmia r1, {s0-s10}\n\t"
        "vmov r2, s5\n\t"
        "adr.w r3, 2f\n\t"
        "add r2, r2, r3\n\t"
        "orr r2, r2, #1\n\t"
        "vmov s5, r2\n\t"
        "vmov r2, s7\n\t"
        "vmov r3, s8\n\t"
        "cmp r2, r3\n\t"
        "beq.w 6f\n\t"
        "1:\n\t"
        "vmov r1, s4\n\t"
        "ldmia r0!, {r6-r12, lr}\n\t"
        "vmov r2, s5\n\t"
        "bx r2\n\t"
        ".balign 4\n\t"
        "2:\n\t"
        TL_QUAD(0) TL_QUAD(1) TL_QUAD(2) TL_QUAD(3) TL_QUAD(4) TL_QUAD(5) TL_QUAD(6) TL_QUAD(7)
        TL_QUAD(8) TL_QUAD(9) TL_QUAD(10) TL_QUAD(11) TL_QUAD(12) TL_QUAD(13) TL_QUAD(14) TL_QUAD(15)
        "vmov r2, s9\n\t"
        "adds r1, r1, #8*16\n\t"
        "cmp r1, r2\n\t"
        "bne.w 2b\n\t"
        /* 2 * B, then 2 * A of every pair of rows. */
        "vmov r2, s0\n\t"
        "sub r7, r7, r2\n\t sub r9, r9, r2\n\t sub r11, r11, r2\n\t sub lr, lr, r2\n\t"
        "sub r6, r6, r7\n\t sub r8, r8, r9\n\t sub r10, r10, r11\n\t sub r12, r12, lr\n\t"
        "asr r6, r6, #8\n\t asr r8, r8, #8\n\t asr r10, r10, #8\n\t asr r12, r12, #8\n\t"
        "vmov r3, s1\n\t vmov r4, s2\n\t vmov r5, s3\n\t"
        TL_REQUANTIZE("r6") TL_REQUANTIZE("r7") TL_REQUANTIZE("r8") TL_REQUANTIZE("r9")
        TL_REQUANTIZE("r10") TL_REQUANTIZE("r11") TL_REQUANTIZE("r12") TL_REQUANTIZE("lr")
        "vmov r3, s6\n\t"
        "cbz r3, 5f\n\t"
        "ldrsb r6, [r3, r6]\n\t ldrsb r7, [r3, r7]\n\t ldrsb r8, [r3, r8]\n\t ldrsb r9, [r3, r9]\n\t"
        "ldrsb r10, [r3, r10]\n\t ldrsb r11, [r3, r11]\n\t ldrsb r12, [r3, r12]\n\t ldrsb lr, [r3, lr]\n\t"
        "5:\n\t"
        "vmov r2, s7\n\t"
        "vmov r3, s8\n\t"
        "strb r6, [r2], #1\n\t strb r7, [r2], #1\n\t strb r8, [r2], #1\n\t strb r9, [r2], #1\n\t"
        "strb r10, [r2], #1\n\t strb r11, [r2], #1\n\t strb r12, [r2], #1\n\t strb lr, [r2], #1\n\t"
        "vmov s7, r2\n\t"
        "cmp r2, r3\n\t"
        "blo.w 1b\n\t"
        "bhi.n 7f\n\t"
        "6:\n\t" /* All whole groups are done: the last rows, if any, go aside. */
        "vmov s7, s10\n\t"
        "vmov s8, s10\n\t"
        "vmov r2, s10\n\t"
        "cmp r2, #0\n\t"
        "bne.w 1b\n\t"
        "7:\n\t"
        : "+r"(next), "+r"(kept)
        :
        : "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory", "s0", "s1", "s2",
          "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10");
    /* clang-format on */
    for (uint32_t row = whole; row < dense->rows; ++row) {
        dense->output[row] = rest[row - whole];
    }
}
#else
static inline void tl_dense_run(const tl_dense *dense) {
    const uint32_t *next = dense->kernel;
    const unsigned right = (unsigned)-dense->record->shift;
    const int32_t offset = tl_requantize_offset(dense->record);
    for (uint32_t row = 0; row < dense->rows; row += TL_DENSE_ROWS) {
        /* Even: of both rows of a pair; odd: of the lower. */
        uint32_t sums[TL_DENSE_ROWS];
        memcpy(sums, next, sizeof sums);
        next += TL_DENSE_ROWS;
        for (uint32_t k = 0; k < dense->quads; ++k) {
            const tl_quad in = dense->inputs[k];
            for (unsigned i = 0; i < TL_DENSE_ROWS; i += 2u, next += 2) {
                sums[i] = tl_dual_multiply(next[1], in.odd, tl_dual_multiply(next[0], in.even, sums[i]));
                sums[i + 1u] =
                    tl_dual_multiply(tl_add_bytes(in.odd, next[0]), tl_add_bytes(in.even, next[1]), sums[i + 1u]);
            }
        }
        for (unsigned i = 0; i < TL_DENSE_ROWS && row + i < dense->rows; ++i) {
            const uint32_t lower = sums[i | 1u] - dense->correction;
            const int32_t doubled = i % 2u ? (int32_t)lower : (int32_t)(sums[i] - lower) >> 8;
            const int32_t q = tl_requantize(doubled, dense->record->multiplier, right, offset);
            dense->output[row + i] = dense->table ? dense->table[q + 128] : (int8_t)q;
        }
    }
}
#endif

/* Gathers int8 values for tl_dense, padded with zeros to whole quads. Returns the correction: what their products with
 * each other add to each lower row's sum. */
TL_ALWAYS_INLINE uint32_t tl_gather(const int8_t *values, unsigned count, tl_quad *quads) {
    uint32_t word, correction = 0;
    unsigned k = 0;
#pragma GCC unroll 4
    for (; k < count / 4u; ++k) {
        memcpy(&word, values + 4u * k, sizeof word);
        quads[k] = tl_quad_from(word);
        correction = tl_quad_product(quads[k], correction);
    }
    if (count % 4u != 0u) {
        word = 0;
        memcpy(&word, values + 4u * k, count % 4u);
        quads[k] = tl_quad_from(word);
        correction = tl_quad_product(quads[k], correction);
    }
    return correction;
}

#endif
