/* The same as tl_dense_group by hand for the Cortex-M4, because it needs every register: r0 weights, r1 inputs, r2-r5 at
 * work, the rest sums. What stays the same for all rows waits in s0-s12 (tl_dense).
 *
 * Pieces of one asm statement, in this order: TL_DENSE_BEGIN, what each target does with a group, TL_DENSE_END. A target
 * finds q of the rows in r6-r12 and lr, leaves the output's place behind them in r2 and s7, and ends with TL_DENSE_NEXT.
 * Cycles are those of toolchain/emulator/cost.py. */
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
    "ldr.w r5, [r0], #4\n\t" TL_MULTIPLY("r6", "r7") "ldmia.n r0!, {r4, r5}\n\t" TL_MULTIPLY("r8", "r9")               \
        "ldmia.n r0!, {r4, r5}\n\t" TL_MULTIPLY("r10", "r11") "ldmia.n r0!, {r4, r5}\n\t" TL_MULTIPLY("r12", "lr")

#define TL_REQUANTIZE(sum)                                                                                             \
    "add r2, r4, " sum ", asr #31\n\t"                                                                                 \
    "smmlar " sum ", " sum ", r3, r2\n\t"                                                                              \
    "asr " sum ", " sum ", r5\n\t"                                                                                     \
    "ssat " sum ", #8, " sum "\n\t"

/* r1: the first tl_dense. Falls through with the requantized rows of each group and s6 in r3; bit 0 of it is N, bit 1
 * is C: MI for TL_TO_WORD, else CC for TL_TO_INT8. */
#define TL_DENSE_BEGIN                                                                                                 \
    "0:\n\t"                                                                                                           \
    "ldr r0, [r1]\n\t"                                                                                                 \
    "add r2, r1, #12\n\t"                                                                                              \
    "vldmia r2, {s0-s12}\n\t"                                                                                          \
    "vmov s10, r1\n\t"                                                                                                 \
    "vmov r2, s5\n\t"                                                                                                  \
    "adr.w r3, 2f\n\t"                                                                                                 \
    "cmp r2, #0\n\t"                                                                                                   \
    "add.w r2, r2, r3\n\t"                                                                                             \
    "adr.w r3, 6f\n\t"                                                                                                 \
    "it mi\n\t"                                                                                                        \
    "movmi r2, r3\n\t"                                                                                                 \
    "orr r2, r2, #1\n\t"                                                                                               \
    "vmov s5, r2\n\t"                                                                                                  \
    "vmov r2, s7\n\t"                                                                                                  \
    "vmov r3, s8\n\t"                                                                                                  \
    "cmp r2, r3\n\t"                                                                                                   \
    "beq.w 8f\n\t"                                                                                                     \
    "1:\n\t" TL_DENSE_START                                                                                            \
    /* The pair, and the quad with it. */                                                                              \
    "6:\n\t"                                                                                                           \
    "vmov r2, s11\n\t"                                                                                                 \
    "ldmia.n r0!, {r3, r4, r5}\n\t"                                                                                    \
    "smlad r6, r3, r2, r6\n\t sxtb16 r3, r3\n\t smlad r7, r3, r2, r7\n\t"                                              \
    "smlad r8, r4, r2, r8\n\t sxtb16 r4, r4\n\t smlad r9, r4, r2, r9\n\t"                                              \
    "smlad r10, r5, r2, r10\n\t sxtb16 r5, r5\n\t smlad r11, r5, r2, r11\n\t"                                          \
    "ldr.w r3, [r0], #4\n\t"                                                                                           \
    "smlad r12, r3, r2, r12\n\t sxtb16 r3, r3\n\t smlad lr, r3, r2, lr\n\t" TL_QUAD(0)                                 \
    "vmov r2, s9\n\t"                                                                                                  \
    "adds r1, r1, #8\n\t"                                                                                              \
    "cmp r1, r2\n\t"                                                                                                   \
    "beq.w 6f\n\t"                                                                                                     \
    ".balign 4\n\t"                                                                                                    \
    "2:\n\t" TL_QUAD(0) TL_QUAD(1) TL_QUAD(2) TL_QUAD(3) TL_QUAD(4) TL_QUAD(5) TL_QUAD(6) TL_QUAD(7) TL_QUAD(8)        \
        TL_QUAD(9) TL_QUAD(10) TL_QUAD(11) TL_QUAD(12) TL_QUAD(13) TL_QUAD(14) TL_QUAD(15)                             \
    "vmov r2, s9\n\t"                                                                                                  \
    "adds r1, r1, #8*16\n\t"                                                                                           \
    "cmp r1, r2\n\t"                                                                                                   \
    "bne.w 2b\n\t"                                                                                                     \
    "6:\n\t"                                                                                                           \
    /* 2 * lower, then 2 * upper row's sum of every pair. */                                                           \
    "vmov r2, s0\n\t"                                                                                                  \
    "sub r7, r7, r2\n\t sub r9, r9, r2\n\t sub r11, r11, r2\n\t sub lr, lr, r2\n\t"                                    \
    "sub r6, r6, r7\n\t sub r8, r8, r9\n\t sub r10, r10, r11\n\t sub r12, r12, lr\n\t"                                 \
    "asr r6, r6, #8\n\t asr r8, r8, #8\n\t asr r10, r10, #8\n\t asr r12, r12, #8\n\t"                                  \
    "vmov r3, s1\n\t vmov r4, s2\n\t vmov r5, s3\n\t" TL_REQUANTIZE("r6") TL_REQUANTIZE("r7") TL_REQUANTIZE("r8")      \
        TL_REQUANTIZE("r9") TL_REQUANTIZE("r10") TL_REQUANTIZE("r11") TL_REQUANTIZE("r12") TL_REQUANTIZE("lr")         \
    "vmov r3, s6\n\t"                                                                                                  \
    "lsls r2, r3, #31\n\t"

/* The first sums of a group, then into the block. */
#define TL_DENSE_START                                                                                                 \
    "vmov r1, s4\n\t"                                                                                                  \
    "ldmia r0!, {r6-r12, lr}\n\t"                                                                                      \
    "vmov r2, s5\n\t"                                                                                                  \
    "bx r2\n\t"

#define TL_DENSE_NEXT                                                                                                  \
    "vmov r3, s8\n\t"                                                                                                  \
    "cmp r2, r3\n\t"                                                                                                   \
    "bhs.w 7f\n\t" TL_DENSE_START

/* q through the table at r3. */
#define TL_LOOK_UP(load, shift)                                                                                        \
    load " r6, [r3, r6" shift "]\n\t" load " r7, [r3, r7" shift "]\n\t" load " r8, [r3, r8" shift "]\n\t" load         \
         " r9, [r3, r9" shift "]\n\t" load " r10, [r3, r10" shift "]\n\t" load " r11, [r3, r11" shift "]\n\t" load     \
         " r12, [r3, r12" shift "]\n\t" load " lr, [r3, lr" shift "]\n\t"

#define TL_DENSE_TO_INT8                                                                                               \
    "cbz r3, 3f\n\t" TL_LOOK_UP("ldrsb", "") "3:\n\t"                                                                  \
    "vmov r2, s7\n\t"                                                                                                  \
    "strb r6, [r2], #1\n\t strb r7, [r2], #1\n\t strb r8, [r2], #1\n\t strb r9, [r2], #1\n\t"                          \
    "strb r10, [r2], #1\n\t strb r11, [r2], #1\n\t strb r12, [r2], #1\n\t strb lr, [r2], #1\n\t"                       \
    "vmov s7, r2\n\t" TL_DENSE_NEXT

/* All whole groups are done: the int8 of the last rows, if any, go aside; then the next one. */
#define TL_DENSE_END                                                                                                   \
    "7:\n\t"                                                                                                           \
    "bhi.n 9f\n\t"                                                                                                     \
    "8:\n\t"                                                                                                           \
    "vmov r1, s10\n\t"                                                                                                 \
    "ldr r2, [r1, #4]\n\t"                                                                                             \
    "vmov r3, s6\n\t"                                                                                                  \
    "bic r3, r3, #3\n\t"                                                                                               \
    "vmov s6, r3\n\t"                                                                                                  \
    "vmov s7, r2\n\t"                                                                                                  \
    "vmov s8, r2\n\t"                                                                                                  \
    "cmp r2, #0\n\t"                                                                                                   \
    "bne.w 1b\n\t"                                                                                                     \
    "9:\n\t"                                                                                                           \
    "vmov r1, s10\n\t"                                                                                                 \
    "ldr r2, [r1, #8]\n\t"                                                                                             \
    "adds r1, r1, #64\n\t"                                                                                             \
    "cmp r2, #0\n\t"                                                                                                   \
    "bne.w 0b\n\t"

#define TL_DENSE_CLOBBERS                                                                                              \
    "r2", "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "r12", "lr", "cc", "memory", "s0", "s1", "s2",       \
        "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "s12"

#endif
