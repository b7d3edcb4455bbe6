/* int32 accumulators to int8, the way TensorFlow Lite Micro does it, with two roundings:
 * RoundingDivideByPOT(SaturatingRoundingDoublingHighMul(accumulator, multiplier), right) + zero point, clamped. */
#ifndef TL_COMPILED_REQUANTIZE_H
#define TL_COMPILED_REQUANTIZE_H

#include <stdint.h>

/* One record of the KERN section, in the ranges below; biases stay within the limit, so that a row of 512 inputs
 * cannot overflow its accumulator. tl_engine_init checks both. */
typedef struct {
    int32_t multiplier;
    int32_t shift;
    int32_t zero_point;
    int32_t reserved;
} tl_requantization;

#define TL_MULTIPLIER_MIN (1 << 30)
#define TL_SHIFT_MIN (-31)
#define TL_SHIFT_MAX 0
#define TL_BIAS_LIMIT (1 << 30)

/* `right` is 0..31. */
static inline int8_t tl_requantize(int32_t accumulator, int32_t multiplier, unsigned right, int32_t zero_point) {
    /* To nearest, halves upwards: what gemmlowp's nudge and truncating division come to. The multiplier is never
     * -2^31, so the one product that would saturate cannot occur. */
    const int32_t high = (int32_t)(((int64_t)accumulator * multiplier + (1 << 30)) >> 31);

    /* To nearest, halves away from zero. */
    const int32_t mask = (int32_t)(((uint32_t)1 << right) - 1u);
    const int32_t threshold = (mask >> 1) + (high < 0 ? 1 : 0);
    int32_t value = (high >> right) + ((high & mask) > threshold ? 1 : 0) + zero_point;
    value = value > INT8_MAX ? INT8_MAX : value;
    value = value < INT8_MIN ? INT8_MIN : value;
    return (int8_t)value;
}

#endif
