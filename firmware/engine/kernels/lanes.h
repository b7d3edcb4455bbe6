/* Two 16-bit lanes in a word, on the Cortex-M4's SIMD or in plain C with the same bits. */
#ifndef TL_KERNELS_LANES_H
#define TL_KERNELS_LANES_H

#include <stdint.h>
#include <string.h>

#if defined(__ARM_FEATURE_DSP)
#include <arm_acle.h>
#endif

/* Lane 0 is the lower half. */
static inline uint32_t tl_lanes(int32_t low, int32_t high) {
    return ((uint32_t)low & 0xFFFFu) | ((uint32_t)high << 16);
}

static inline int32_t tl_lane_low(uint32_t word) {
    return (int16_t)(uint16_t)(word & 0xFFFFu);
}

static inline int32_t tl_lane_high(uint32_t word) {
    return (int16_t)(uint16_t)(word >> 16);
}

/* Bytes 0 and 2, signed, as lanes. */
static inline uint32_t tl_even_bytes(uint32_t word) {
#if defined(__ARM_FEATURE_DSP)
    return (uint32_t)__sxtb16((int8x4_t)word);
#else
    return tl_lanes((int8_t)(uint8_t)(word & 0xFFu), (int8_t)(uint8_t)((word >> 16) & 0xFFu));
#endif
}

/* Bytes 1 and 3, signed, as lanes. */
static inline uint32_t tl_odd_bytes(uint32_t word) {
    return tl_even_bytes((word >> 8) | (word << 24));
}

/* sum + a.low * b.low + a.high * b.high, modulo 2^32. */
static inline int32_t tl_multiply_add(uint32_t a, uint32_t b, int32_t sum) {
#if defined(__ARM_FEATURE_DSP)
    return (int32_t)__smlad((int16x2_t)a, (int16x2_t)b, sum);
#else
    const uint32_t low = (uint32_t)(tl_lane_low(a) * tl_lane_low(b));
    const uint32_t high = (uint32_t)(tl_lane_high(a) * tl_lane_high(b));
    return (int32_t)((uint32_t)sum + low + high);
#endif
}

/* The same with a sum of 64 bits. */
static inline int64_t tl_multiply_add_long(uint32_t a, uint32_t b, int64_t sum) {
#if defined(__ARM_FEATURE_DSP)
    return (int64_t)__smlald((int16x2_t)a, (int16x2_t)b, sum);
#else
    return sum + (int64_t)tl_lane_low(a) * tl_lane_low(b) + (int64_t)tl_lane_high(a) * tl_lane_high(b);
#endif
}

/* Four inputs become two words: lanes (0, 2) and lanes (1, 3), the order in which bytes are widened. The last group is
 * filled with zeros. */
static inline void tl_widen_int8(const int8_t *input, uint32_t count, uint32_t *lanes) {
    for (; count >= 4u; count -= 4u) {
        uint32_t word;
#if defined(__ARM_FEATURE_DSP)
        memcpy(&word, input, sizeof word);
#else
        word = ((uint32_t)input[0] & 0xFFu) | (((uint32_t)input[1] & 0xFFu) << 8) |
               (((uint32_t)input[2] & 0xFFu) << 16) | (((uint32_t)input[3] & 0xFFu) << 24);
#endif
        *lanes++ = tl_even_bytes(word);
        *lanes++ = tl_odd_bytes(word);
        input += 4;
    }
    if (count) {
        *lanes++ = tl_lanes(input[0], count > 2u ? input[2] : 0);
        *lanes = tl_lanes(count > 1u ? input[1] : 0, 0);
    }
}

/* Four inputs become two words: lanes (0, 1) and lanes (2, 3). The last group is filled with zeros. */
static inline void tl_widen_int16(const int16_t *input, uint32_t count, uint32_t *lanes) {
    for (; count >= 4u; count -= 4u) {
        *lanes++ = tl_lanes(input[0], input[1]);
        *lanes++ = tl_lanes(input[2], input[3]);
        input += 4;
    }
    if (count) {
        *lanes++ = tl_lanes(input[0], count > 1u ? input[1] : 0);
        *lanes = tl_lanes(count > 2u ? input[2] : 0, 0);
    }
}

#endif
