/* A layer of the LTC network in one go: what the denses make goes on into the semi-implicit step (docs/SPEC.md, 2.5)
 * and into int8 again while it is in registers. */
#ifndef TL_COMPILED_LAYER_H
#define TL_COMPILED_LAYER_H

#include <stdint.h>

#include "core/element.h"
#include "dense.h"

/* The same for all layers of a step; s13 to s15. */
typedef struct {
    float dt;
    float inv_scale;
    const float *rates; /* 1/tau of the layer's neurons, made by the dense before TL_TO_STATE */
} tl_step_constants;

/* The next run writes table[q + 128] of `rows` rows, rounded up to whole groups. */
TL_ALWAYS_INLINE void tl_dense_to_rates(tl_dense *dense, uint32_t correction, const float *table, float *rates) {
    dense->correction = correction;
    dense->middle = (uintptr_t)(table + 128) + TL_TO_WORD;
    dense->output = rates;
    dense->quantized = (int8_t *)(void *)rates; /* from where TL_TO_STATE begins to read them */
    dense->end = rates + tl_dense_whole(dense->rows + TL_DENSE_ROWS - 1u);
}

/* The next run advances state[rows] with f = table[q + 128], and writes it as int8 to quantized[rows]; all but the rows
 * of a last, broken group, whose f go to `rest`. */
TL_ALWAYS_INLINE void tl_dense_to_state(tl_dense *dense, uint32_t correction, const int8_t *table, float *state,
                                        int8_t *quantized) {
    dense->correction = correction;
    dense->middle = (uintptr_t)(table + 128) + TL_TO_STATE;
    dense->output = state;
    dense->end = state + tl_dense_whole(dense->rows);
    dense->quantized = quantized;
}

/* After a run with TL_TO_STATE: the rows of a last, broken group. */
static inline void tl_layer_join(const tl_dense *dense, const tl_step_constants *constants) {
    const uint32_t whole = tl_dense_whole(dense->rows);
    float *state = dense->output;
    for (uint32_t row = whole; row < dense->rows; ++row) {
        state[row] = tl_solve_element(state[row], dense->rest[row - whole], constants->rates[row], constants->dt);
        dense->quantized[row] = tl_quantize_element(state[row], constants->inv_scale);
    }
}

#if defined(__ARM_FEATURE_DSP) && defined(__ARM_FP)
#include "dense_m4.h"

/* Eight elements of the step, operation by operation in the order of docs/SPEC.md. VCVT with 7 fraction bits is the
 * conversion and the multiplication by 2^-7, both exact; VCVTR rounds half to even and saturates to int32, SSAT to int8;
 * the two operations on bytes then make -127 of -128.
 * s16-s23: h, then h + p, then the new h. s24-s31: p; then r, t, d, A four at a time, and 1.0. */
#define TL_DENSE_TO_STATE                                                                                              \
    "subs r3, r3, #2\n\t" TL_LOOK_UP("ldrsb", "")                                                                          \
    "vmov r2, s7\n\t"                                                                                                  \
    "vldmia r2, {s16-s23}\n\t"                                                                                         \
    "vmov s24, r6\n\t vmov s25, r7\n\t vmov s26, r8\n\t vmov s27, r9\n\t"                                              \
    "vmov s28, r10\n\t vmov s29, r11\n\t vmov s30, r12\n\t vmov s31, lr\n\t"                                           \
    "vcvt.f32.s32 s24, s24, #7\n\t vcvt.f32.s32 s25, s25, #7\n\t"                                                      \
    "vcvt.f32.s32 s26, s26, #7\n\t vcvt.f32.s32 s27, s27, #7\n\t"                                                      \
    "vcvt.f32.s32 s28, s28, #7\n\t vcvt.f32.s32 s29, s29, #7\n\t"                                                      \
    "vcvt.f32.s32 s30, s30, #7\n\t vcvt.f32.s32 s31, s31, #7\n\t"                                                      \
    "vmul.f32 s24, s13, s24\n\t vmul.f32 s25, s13, s25\n\t vmul.f32 s26, s13, s26\n\t vmul.f32 s27, s13, s27\n\t"      \
    "vmul.f32 s28, s13, s28\n\t vmul.f32 s29, s13, s29\n\t vmul.f32 s30, s13, s30\n\t vmul.f32 s31, s13, s31\n\t"      \
    "vadd.f32 s16, s16, s24\n\t vadd.f32 s17, s17, s25\n\t vadd.f32 s18, s18, s26\n\t vadd.f32 s19, s19, s27\n\t"      \
    "vadd.f32 s20, s20, s28\n\t vadd.f32 s21, s21, s29\n\t vadd.f32 s22, s22, s30\n\t vadd.f32 s23, s23, s31\n\t"      \
    "vmov.f32 s31, #1.0\n\t"                                                                                           \
    "vmov r4, s15\n\t" TL_STEP_FOUR("s16", "s17", "s18", "s19") TL_STEP_FOUR("s20", "s21", "s22", "s23")               \
    "vmov s15, r4\n\t"                                                                                                 \
    "vstmia r2!, {s16-s23}\n\t"                                                                                        \
    "vmov s7, r2\n\t"                                                                                                  \
    "vmul.f32 s24, s16, s14\n\t vmul.f32 s25, s17, s14\n\t vmul.f32 s26, s18, s14\n\t vmul.f32 s27, s19, s14\n\t"      \
    "vmul.f32 s28, s20, s14\n\t vmul.f32 s29, s21, s14\n\t vmul.f32 s30, s22, s14\n\t vmul.f32 s31, s23, s14\n\t"      \
    "vcvtr.s32.f32 s24, s24\n\t vcvtr.s32.f32 s25, s25\n\t vcvtr.s32.f32 s26, s26\n\t vcvtr.s32.f32 s27, s27\n\t"      \
    "vcvtr.s32.f32 s28, s28\n\t vcvtr.s32.f32 s29, s29\n\t vcvtr.s32.f32 s30, s30\n\t vcvtr.s32.f32 s31, s31\n\t"      \
    "vmov r6, s24\n\t vmov r7, s25\n\t vmov r8, s26\n\t vmov r9, s27\n\t"                                              \
    "vmov r10, s28\n\t vmov r11, s29\n\t vmov r12, s30\n\t vmov lr, s31\n\t"                                           \
    "ssat r6, #8, r6\n\t ssat r7, #8, r7\n\t ssat r8, #8, r8\n\t ssat r9, #8, r9\n\t"                                  \
    "ssat r10, #8, r10\n\t ssat r11, #8, r11\n\t ssat r12, #8, r12\n\t ssat lr, #8, lr\n\t"                            \
    "bfi r6, r7, #8, #8\n\t bfi r6, r8, #16, #8\n\t bfi r6, r9, #24, #8\n\t"                                           \
    "bfi r10, r11, #8, #8\n\t bfi r10, r12, #16, #8\n\t bfi r10, lr, #24, #8\n\t"                                      \
    "mov.w r5, #0x01010101\n\t"                                                                                        \
    "vmov r4, s12\n\t"                                                                                                 \
    "qsub8 r6, r6, r5\n\t qsub8 r10, r10, r5\n\t sadd8 r6, r6, r5\n\t sadd8 r10, r10, r5\n\t"                          \
    "str r6, [r4], #4\n\t"                                                                                             \
    "str r10, [r4], #4\n\t"                                                                                            \
    "vmov s12, r4\n\t" TL_DENSE_NEXT

#define TL_STEP_FOUR(a, b, c, d)                                                                                       \
    "vldmia r4!, {s24-s27}\n\t"                                                                                        \
    "vmul.f32 s24, s13, s24\n\t vmul.f32 s25, s13, s25\n\t vmul.f32 s26, s13, s26\n\t vmul.f32 s27, s13, s27\n\t"      \
    "vadd.f32 s24, s31, s24\n\t vadd.f32 s25, s31, s25\n\t vadd.f32 s26, s31, s26\n\t vadd.f32 s27, s31, s27\n\t"      \
    "vdiv.f32 s24, s31, s24\n\t vdiv.f32 s25, s31, s25\n\t vdiv.f32 s26, s31, s26\n\t vdiv.f32 s27, s31, s27\n\t"      \
    "vmul.f32 " a ", s24, " a "\n\t vmul.f32 " b ", s25, " b "\n\t"                                                    \
    "vmul.f32 " c ", s26, " c "\n\t vmul.f32 " d ", s27, " d "\n\t"

#define TL_DENSE_TO_WORD                                                                                               \
    "subs r3, r3, #1\n\t" TL_LOOK_UP("ldr", ", lsl #2")                                                                    \
    "vmov r2, s7\n\t"                                                                                                  \
    "stmia r2!, {r6-r12, lr}\n\t"                                                                                      \
    "vmov.f32 s15, s12\n\t"                                                                                            \
    "vmov s7, r2\n\t" TL_DENSE_NEXT

_Static_assert(sizeof(tl_dense) == 64 && offsetof(tl_dense, rest) == 4 && offsetof(tl_dense, more) == 8 &&
                   offsetof(tl_dense, correction) == 12 && TL_TO_INT8 == 0 && TL_TO_WORD == 1 && TL_TO_STATE == 2,
               "what the assembler knows of tl_dense");

/* Runs `dense` and all that stand behind it. */
static __attribute__((noinline)) void tl_layers_run(const tl_dense *dense, const tl_step_constants *constants) {
    register const tl_dense *first __asm__("r1") = dense;
    register const tl_step_constants *shared __asm__("r0") = constants;
    __asm__ volatile("vldmia r0, {s13-s15}\n\t" TL_DENSE_BEGIN
                     "bmi.w 5f\n\t"
                     "bcc.w 4f\n\t" TL_DENSE_TO_STATE "4:\n\t" TL_DENSE_TO_INT8 "5:\n\t" TL_DENSE_TO_WORD TL_DENSE_END
                     : "+r"(first), "+r"(shared)
                     :
                     : TL_DENSE_CLOBBERS, "s13", "s14", "s15", "s16", "s17", "s18", "s19", "s20", "s21", "s22", "s23",
                       "s24", "s25", "s26", "s27", "s28", "s29", "s30", "s31");
}
#else
/* Runs `dense` and all that stand behind it. */
static inline void tl_layers_run(const tl_dense *dense, const tl_step_constants *constants) {
    for (bool more = true; more; more = dense->more, ++dense) {
        const uint32_t *kernel = dense->kernel;
        const uintptr_t middle = dense->middle & ~(uintptr_t)TL_TARGETS;
        const unsigned target = (unsigned)(dense->middle & TL_TARGETS);
        const float *words = (const float *)middle;
        const int8_t *bytes = (const int8_t *)middle;
        for (uint32_t row = 0; row < dense->rows; row += TL_DENSE_ROWS) {
            int32_t q[TL_DENSE_ROWS];
            kernel = tl_dense_group(dense, kernel, q);
            const bool broken = row + TL_DENSE_ROWS > dense->rows;
            for (unsigned i = 0; i < TL_DENSE_ROWS; ++i) {
                if (target == TL_TO_WORD) {
                    ((float *)dense->output)[row + i] = words[q[i]];
                } else if (broken) {
                    dense->rest[i] = bytes ? bytes[q[i]] : (int8_t)q[i];
                } else if (target == TL_TO_INT8) {
                    ((int8_t *)dense->output)[row + i] = bytes ? bytes[q[i]] : (int8_t)q[i];
                } else {
                    float *h = (float *)dense->output + row + i;
                    *h = tl_solve_element(*h, bytes[q[i]], constants->rates[row + i], constants->dt);
                    dense->quantized[row + i] = tl_quantize_element(*h, constants->inv_scale);
                }
            }
        }
    }
}
#endif

#endif
