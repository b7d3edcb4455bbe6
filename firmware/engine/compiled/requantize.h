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

/* `doubled` is twice the accumulator, `right` is 1..20.
 *
 * First rounding: to nearest, halves upwards (what gemmlowp's nudge and truncating division come to), of accumulator *
 * multiplier / 2^31. Second rounding: to nearest, halves away from zero: add a half, one less below zero, and shift.
 * The sign is the accumulator's: where the first rounding makes 0 of a negative one, a half less one is not yet a
 * whole. The M4 does it in four instructions: ADD with ASR #31, SMMLAR, ASR, SSAT. */
TL_ALWAYS_INLINE int32_t tl_requantize(int32_t doubled, int32_t multiplier, unsigned right, int32_t offset) {
    const int32_t high = (int32_t)(((int64_t)doubled * multiplier + ((int64_t)1 << 31)) >> 32);
    const int32_t value = (int32_t)((uint32_t)high + (uint32_t)offset + (uint32_t)(doubled >> 31)) >> right;
    return value > INT8_MAX ? INT8_MAX : value < INT8_MIN ? INT8_MIN : value;
}

#endif
