/* The Cortex-M4's SIMD for int8 products, or the same in plain C.
 *
 * Two weights share a 16-bit lane: lane = 256 * high + low, both signed. With the inputs (a, b) of the two, lane * a +
 * low * (256 * b - a) = 256 * (high * a + low * b), exactly. So a word holds four weights, SXTB16 brings its two lows,
 * and two SMLAD do the rest; accumulators carry the factor 256. Inputs lie in [-127, 127], or 256 * b - a would not
 * fit its lane. */
#ifndef TL_COMPILED_SIMD_H
#define TL_COMPILED_SIMD_H

#include <stdint.h>

#define TL_ALWAYS_INLINE static inline __attribute__((always_inline))

/* Four inputs, the form that the weights want: lanes (in[0], in[2]) and lanes (256 * in[1] - in[0], 256 * in[3] -
 * in[2]). */
typedef struct {
    uint32_t high;
    uint32_t low;
} tl_inputs;

#if defined(__ARM_FEATURE_DSP)
#include <arm_acle.h>

TL_ALWAYS_INLINE tl_inputs tl_inputs_from(uint32_t bytes) {
    const int16x2_t high = __sxtb16((int8x4_t)bytes);
    return (tl_inputs){(uint32_t)high, (uint32_t)__ssub16((int16x2_t)(bytes & 0xFF00FF00u), high)};
}

/* To int8; as an int32, because gcc would extend an int8 once more. */
TL_ALWAYS_INLINE int32_t tl_saturate(int32_t value) {
    int32_t saturated;
    __asm__("ssat %0, #8, %1" : "=r"(saturated) : "r"(value));
    return saturated;
}

/* The upper half of the 64-bit product, rounded to nearest, halves upwards. */
TL_ALWAYS_INLINE int32_t tl_high_product(int32_t a, int32_t b) {
    int32_t high;
    __asm__("smmulr %0, %1, %2" : "=r"(high) : "r"(a), "r"(b));
    return high;
}
#else
TL_ALWAYS_INLINE int32_t tl_lane(uint32_t word, unsigned shift) {
    return (int16_t)(uint16_t)(word >> shift);
}

TL_ALWAYS_INLINE int32_t tl_byte(uint32_t word, unsigned shift) {
    return (int8_t)(uint8_t)(word >> shift);
}

TL_ALWAYS_INLINE uint32_t tl_lanes(int32_t first, int32_t second) {
    return (uint32_t)(uint16_t)first | ((uint32_t)(uint16_t)second << 16);
}

TL_ALWAYS_INLINE tl_inputs tl_inputs_from(uint32_t bytes) {
    const int32_t a = tl_byte(bytes, 0), b = tl_byte(bytes, 8), c = tl_byte(bytes, 16), d = tl_byte(bytes, 24);
    return (tl_inputs){tl_lanes(a, c), tl_lanes(256 * b - a, 256 * d - c)};
}

TL_ALWAYS_INLINE int32_t tl_saturate(int32_t value) {
    value = value > INT8_MAX ? INT8_MAX : value;
    return value < INT8_MIN ? INT8_MIN : value;
}

/* The upper half of the 64-bit product, rounded to nearest, halves upwards. */
TL_ALWAYS_INLINE int32_t tl_high_product(int32_t a, int32_t b) {
    return (int32_t)(((int64_t)a * b + ((int64_t)1 << 31)) >> 32);
}
#endif

#endif
