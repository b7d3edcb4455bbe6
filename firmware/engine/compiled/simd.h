/* Products of four int8 pairs: the Cortex-M4's SIMD, or the same in plain C. */
#ifndef TL_COMPILED_SIMD_H
#define TL_COMPILED_SIMD_H

#include <stdint.h>

#define TL_ALWAYS_INLINE static inline __attribute__((always_inline))

#if defined(__ARM_FEATURE_DSP)
#include <arm_acle.h>

/* Bytes 0 and 2 as two int16. */
TL_ALWAYS_INLINE int16x2_t tl_even_bytes(uint32_t word) {
    return __sxtb16((int8x4_t)word);
}

/* Bytes 1 and 3 as two int16. The instruction rotates by itself, but gcc 12 does not fold a rotation into it. */
TL_ALWAYS_INLINE int16x2_t tl_odd_bytes(uint32_t word) {
    int16x2_t pair;
    __asm__("sxtb16 %0, %1, ror #8" : "=r"(pair) : "r"(word));
    return pair;
}

/* acc + the sum of the four products of the int8 lanes of `weights` and `inputs`. */
TL_ALWAYS_INLINE int32_t tl_dot4(int32_t acc, uint32_t weights, uint32_t inputs) {
    acc = __smlad(tl_even_bytes(weights), tl_even_bytes(inputs), acc);
    return __smlad(tl_odd_bytes(weights), tl_odd_bytes(inputs), acc);
}
#else
TL_ALWAYS_INLINE int32_t tl_lane(uint32_t word, unsigned shift) {
    return (int8_t)(uint8_t)(word >> shift);
}

/* acc + the sum of the four products of the int8 lanes of `weights` and `inputs`. */
TL_ALWAYS_INLINE int32_t tl_dot4(int32_t acc, uint32_t weights, uint32_t inputs) {
    acc += tl_lane(weights, 0) * tl_lane(inputs, 0);
    acc += tl_lane(weights, 8) * tl_lane(inputs, 8);
    acc += tl_lane(weights, 16) * tl_lane(inputs, 16);
    return acc + tl_lane(weights, 24) * tl_lane(inputs, 24);
}
#endif

#endif
