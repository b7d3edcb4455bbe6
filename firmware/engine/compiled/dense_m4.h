/* tl_dense_run by hand for the Cortex-M4, because it needs every register: r0 weights, r1 inputs, r2-r5 at work, the
 * rest sums. What stays the same for all rows waits in s0-s11 (tl_dense). Cycles are those of
 * toolchain/emulator/cost.py. */
#ifndef TL_COMPILED_DENSE_M4_H
#define TL_COMPILED_DENSE_M4_H

/* r4 and r5, a pair of words of two rows, into their sums. */
#define TL_MULTIPLY(both, lower)                                                                                       \
    "smlad " both ", r4, r2, " both "\n\t"                                                                             \
    "smlad " both ", r5, r3, " both "\n\t"                                                                             \
    "sxtab16 r4, r3, r4\n\t"                                                                                           \
    "sxtab16 r5, r2, r5\n\t"                                                                                           \
    "smlad " lower ", r4, r5, " lower "\n\t"

/* Eight rows times four inputs, 32 products in 34 cycles and TL_DENSE_QUAD_BYTES. The first four loads stand together
 * because the core pipelines them. */
#define TL_QUAD(k)                                                                                                     \
    "ldr.n r2, [r1, #8*" #k "]\n\t"                                                                                    \
    "ldr.n r3, [r1, #8*" #k "+4]\n\t"                                                                                  \
    "ldr.w r4, [r0], #4\n\t"                                                                                           \
    "ldr.w r5, [r0], #4\n\t" TL_MULTIPLY("r6", "r7") "ldmia.n r0!, {r4, r5}\n\t" TL_MULTIPLY(                          \
        "r8", "r9") "ldmia.n r0!, {r4, r5}\n\t" TL_MULTIPLY("r10",                                                     \
                                                            "r11") "ldmia.n r0!, {r4, r5}\n\t" TL_MULTIPLY("r12",      \
                                                                                                           "lr")

#define TL_REQUANTIZE(sum)                                                                                             \
    "add r2, r4, " sum ", asr #31\n\t"                                                                                 \
    "smmlar " sum ", " sum ", r3, r2\n\t"                                                                              \
    "asr " sum ", " sum ", r5\n\t"                                                                                     \
    "ssat " sum ", #8, " sum "\n\t"

/* Two inputs apart, of one pair of rows. */
#define TL_SINGLE(word, both, lower)                                                                                   \
    "smlad " both ", " word ", r2, " both "\n\t"                                                                       \
    "sxtb16 " word ", " word "\n\t"                                                                                    \
    "smlad " lower ", " word ", r2, " lower "\n\t"

/* The first sums of a group, then into the block. */
#define TL_DENSE_START                                                                                                 \
    "vmov r1, s4\n\t"                                                                                                  \
    "ldmia r0!, {r6-r12, lr}\n\t"                                                                                      \
    "vmov r2, s5\n\t"                                                                                                  \
    "bx r2\n\t"

/* Runs `dense` and all that stand behind it. */
static __attribute__((noinline, noclone)) void tl_dense_run(const tl_dense *dense) {
    _Static_assert(sizeof(tl_dense) == 60 && offsetof(tl_dense, rest) == 4 && offsetof(tl_dense, more) == 8 &&
                       offsetof(tl_dense, correction) == 12,
                   "what the assembler knows of tl_dense");
    register const tl_dense *next __asm__("r1") = dense;
    /* clang-format off */
    __asm__ volatile(
        "0:\n\t"
        "ldr r0, [r1]\n\t"
        "add r2, r1, #12\n\t"
        "vldmia r2, {s0-s11}\n\t"
        "vmov s10, r1\n\t"
        "vmov r2, s7\n\t"
        "vmov r3, s8\n\t"
        "cmp r2, r3\n\t"
        "beq.w 7f\n\t"
        "1:\n\t"
        TL_DENSE_START
        ".balign 4\n\t"
        "tl_dense_pair:\n\t" /* the pair, and the quad with it */
        "vmov r2, s11\n\t"
        "ldmia.n r0!, {r3, r4, r5}\n\t"
        TL_SINGLE("r3", "r6", "r7") TL_SINGLE("r4", "r8", "r9") TL_SINGLE("r5", "r10", "r11")
        "ldr.w r3, [r0], #4\n\t"
        TL_SINGLE("r3", "r12", "lr")
        TL_QUAD(0)
        "vmov r2, s9\n\t"
        "adds r1, r1, #8\n\t"
        "cmp r1, r2\n\t"
        "beq.w 4f\n\t"
        "tl_dense_block:\n\t"
        TL_QUAD(0) TL_QUAD(1) TL_QUAD(2) TL_QUAD(3) TL_QUAD(4) TL_QUAD(5) TL_QUAD(6) TL_QUAD(7)
        TL_QUAD(8) TL_QUAD(9) TL_QUAD(10) TL_QUAD(11) TL_QUAD(12) TL_QUAD(13) TL_QUAD(14) TL_QUAD(15)
        "vmov r2, s9\n\t"
        "adds r1, r1, #8*16\n\t"
        "cmp r1, r2\n\t"
        "bne.w tl_dense_block\n\t"
        "4:\n\t" /* 2 * lower, then 2 * upper row's sum of every pair of rows; then q */
        "vmov r2, s0\n\t"
        "rsb r7, r2, r7, lsl #1\n\t rsb r9, r2, r9, lsl #1\n\t rsb r11, r2, r11, lsl #1\n\t rsb lr, r2, lr, lsl #1\n\t"
        "rsb r6, r7, r6, lsl #1\n\t rsb r8, r9, r8, lsl #1\n\t"
        "rsb r10, r11, r10, lsl #1\n\t rsb r12, lr, r12, lsl #1\n\t"
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
        "bhs.n 6f\n\t"
        TL_DENSE_START
        "6:\n\t" /* all whole groups are done, or the rest too */
        "bhi.n 8f\n\t"
        "7:\n\t" /* the last rows, if any, go aside */
        "vmov r1, s10\n\t"
        "ldr r2, [r1, #4]\n\t"
        "vmov s7, r2\n\t"
        "vmov s8, r2\n\t"
        "cmp r2, #0\n\t"
        "bne.w 1b\n\t"
        "8:\n\t"
        "vmov r1, s10\n\t"
        "ldr r2, [r1, #8]\n\t"
        "adds r1, r1, #60\n\t"
        "cmp r2, #0\n\t"
        "bne.w 0b"
        : "+r"(next)
        :
        : "r0", "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory", "s0", "s1",
          "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11");
    /* clang-format on */
}

#endif
