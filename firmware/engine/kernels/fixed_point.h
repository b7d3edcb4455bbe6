/* Scaling of integers by a real number kept as a 31-bit multiplier and a shift, exactly as TensorFlow Lite Micro does
 * it (`kernels/internal/common.cc`). The numpy twin is toolchain/int8/ops/fixed_point.py.
 *
 * Where TFLM's int32 arithmetic can overflow, this wraps round, as its compiled code does, without undefined behaviour.
 * Right shifts of negative numbers are arithmetic, as in every compiler this is built with. */
#ifndef TL_KERNELS_FIXED_POINT_H
#define TL_KERNELS_FIXED_POINT_H

#include <stdint.h>

static inline int32_t tl_clamp(int32_t x, int32_t low, int32_t high) {
    const int32_t raised = x < low ? low : x;
    return raised > high ? high : raised;
}

static inline int32_t tl_wrapping_add(int32_t a, int32_t b) {
    return (int32_t)((uint32_t)a + (uint32_t)b);
}

static inline int32_t tl_wrapping_subtract(int32_t a, int32_t b) {
    return (int32_t)((uint32_t)a - (uint32_t)b);
}

static inline int32_t tl_wrapping_shift_left(int32_t x, uint32_t bits) {
    return (int32_t)((uint32_t)x << bits);
}

/* a * b / 2^31 to nearest, halves upwards. Fits unless both are -2^31, which does not occur. */
static inline int32_t tl_doubling_high_product(int32_t a, int32_t b) {
    return (int32_t)(((int64_t)a * b + (1 << 30)) >> 31);
}

/* The upper half of the product, to nearest, halves upwards: SMMULR. */
static inline int32_t tl_high_product(int32_t a, int32_t b) {
#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__)
    int32_t high;
    __asm__("smmulr %0, %1, %2" : "=r"(high) : "r"(a), "r"(b));
    return high;
#else
    return (int32_t)(((int64_t)a * b + ((int64_t)1 << 31)) >> 32);
#endif
}

/* x / 2^exponent to nearest, halves away from zero; `exponent` is 0..31. */
static inline int32_t tl_rounding_shift_right(int32_t x, uint32_t exponent) {
    const int32_t mask = (int32_t)((1u << exponent) - 1u);
    const int32_t threshold = (mask >> 1) + (x < 0);
    return (x >> exponent) + ((x & mask) > threshold);
}

/* x * multiplier / 2^31 * 2^shift with two roundings; `shift` is -31..30. */
static inline int32_t tl_scale(int32_t x, int32_t multiplier, int32_t shift) {
    const uint32_t left = shift > 0 ? (uint32_t)shift : 0u;
    const uint32_t right = shift > 0 ? 0u : (uint32_t)-shift;
    return tl_rounding_shift_right(tl_doubling_high_product(tl_wrapping_shift_left(x, left), multiplier), right);
}

/* tl_scale for a multiplier below one, in a form that needs few instructions. */
typedef struct {
    int32_t multiplier;
    uint32_t right;
    int32_t half;
    int32_t below_zero;
} tl_down;

/* `shift` is -31..0. */
static inline tl_down tl_down_from(int32_t multiplier, int32_t shift) {
    tl_down down;
    down.multiplier = multiplier;
    down.right = (uint32_t)-shift;
    down.half = down.right ? (int32_t)(1u << (down.right - 1u)) : 0;
    down.below_zero = down.right ? -1 : 0;
    return down;
}

/* tl_scale(x, ...) from twice x, which must fit int32; then the half to be added does, too. The second rounding is to
 * nearest, halves away from zero: add a half, one less below zero, and shift. */
static inline int32_t tl_scale_down_twice(int32_t twice_x, const tl_down *down) {
    const int32_t high = tl_high_product(twice_x, down->multiplier);
    return (high + ((high >> 31) & down->below_zero) + down->half) >> down->right;
}

/* tl_scale(x, ...) for any x. */
static inline int32_t tl_scale_down(int32_t x, const tl_down *down) {
    return tl_rounding_shift_right(tl_doubling_high_product(x, down->multiplier), down->right);
}

/* tl_scale for an accumulator of 64 bits, |x| < 2^47, by the multiplier's upper 15 bits and with one rounding, halves
 * upwards; `shift` is -31..14. This is TFLM's form for layers of 16-bit activations and 8-bit weights. */
static inline int32_t tl_scale_wide(int64_t x, int32_t multiplier, int32_t shift) {
    const int32_t reduced = multiplier < 0x7FFF0000 ? (multiplier + (1 << 15)) >> 16 : 0x7FFF;
    const uint32_t right = (uint32_t)(15 - shift);
    return (int32_t)(uint32_t)(uint64_t)((x * reduced + ((int64_t)1 << (right - 1u))) >> right);
}

#endif
