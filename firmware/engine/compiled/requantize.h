/* Accumulators to int8, the way TensorFlow Lite Micro does it, with two roundings:
 * RoundingDivideByPOT(SaturatingRoundingDoublingHighMul(accumulator, multiplier), right) + zero point, clamped. */
#ifndef TL_COMPILED_REQUANTIZE_H
#define TL_COMPILED_REQUANTIZE_H

#include <stdint.h>

#include "simd.h"

/* One record of the KERN section, in the ranges below; tl_engine_init checks them. */
typedef struct {
    int32_t multiplier;
    int32_t shift;
    int32_t zero_point;
    int32_t reserved;
} tl_requantization;

#define TL_MULTIPLIER_MIN (1 << 30)
#define TL_SHIFT_MIN (-20)
#define TL_SHIFT_MAX (-1)

/* Half of the last place and the zero point, both in steps of the first rounding's result: below 2^28. */
TL_ALWAYS_INLINE int32_t tl_requantize_offset(const tl_requantization *record) {
    const unsigned right = (unsigned)-record->shift;
    return (1 << (right - 1u)) + record->zero_point * (1 << right);
}

/* `accumulator` carries the factor 256, `right` is 1..20.
 *
 * First rounding: to nearest, halves upwards (what gemmlowp's nudge and truncating division come to), of accumulator *
 * multiplier / 2^31; SMMULR does it to twice the accumulator, which is exact: the low 8 bits are zero. Second
 * rounding: to nearest, halves away from zero: add a half, one less below zero, and shift. */
TL_ALWAYS_INLINE int32_t tl_requantize(int32_t accumulator, int32_t multiplier, unsigned right, int32_t offset) {
    const int32_t high = tl_high_product(accumulator >> 7, multiplier);
    return tl_saturate((high + (high >> 31) + offset) >> right);
}

/* Four of them, in step with each other: the loads stand together because the core pipelines them. */
TL_ALWAYS_INLINE void tl_requantize_four(const int32_t accumulator[4], int32_t multiplier, unsigned right,
                                         int32_t offset, int32_t q[4]) {
#if defined(__ARM_FEATURE_DSP)
    __asm__("ldr %0, [%4]\n\t ldr %1, [%4, #4]\n\t ldr %2, [%4, #8]\n\t ldr %3, [%4, #12]\n\t"
            "asr %0, %0, #7\n\t asr %1, %1, #7\n\t asr %2, %2, #7\n\t asr %3, %3, #7\n\t"
            "smmulr %0, %0, %5\n\t smmulr %1, %1, %5\n\t smmulr %2, %2, %5\n\t smmulr %3, %3, %5\n\t"
            "add %0, %0, %0, asr #31\n\t add %1, %1, %1, asr #31\n\t"
            "add %2, %2, %2, asr #31\n\t add %3, %3, %3, asr #31\n\t"
            "add %0, %0, %6\n\t add %1, %1, %6\n\t add %2, %2, %6\n\t add %3, %3, %6\n\t"
            "asr %0, %0, %7\n\t asr %1, %1, %7\n\t asr %2, %2, %7\n\t asr %3, %3, %7\n\t"
            "ssat %0, #8, %0\n\t ssat %1, #8, %1\n\t ssat %2, #8, %2\n\t ssat %3, #8, %3"
            : "=&r"(q[0]), "=&r"(q[1]), "=&r"(q[2]), "=&r"(q[3])
            : "r"(accumulator), "r"(multiplier), "r"(offset), "r"(right), "m"(*(const int32_t(*)[4])accumulator)
            : "cc");
#else
    for (unsigned i = 0; i < 4u; ++i) {
        q[i] = tl_requantize(accumulator[i], multiplier, right, offset);
    }
#endif
}

#endif
