/* The Cortex-M4's SIMD for int8 products, or the same in plain C.
 *
 * A word holds four weights: two rows of two inputs. Lane = 256 * a + b, with a of the upper row and b of the lower,
 * and one lane per input; so SMLAD of a word with two inputs adds 256 * A + B, A and B being the rows' products. The
 * lower rows' products alone come from a second sum, and A is the difference. That second sum takes four inputs at a
 * time: with b0, b1 the lower weights of inputs x and y,
 *
 *     (b0 + y) * (b1 + x) = b0 * x + b1 * y + b0 * b1 + x * y,
 *
 * where b0 * b1 is known beforehand and x * y is the same for all rows (S. Winograd, A New Algorithm for Inner Product,
 * IEEE Trans. Computers C-17, 1968). SXTAB16 unpacks b and adds the input in one go, so that 16 products take two
 * loads, two SXTAB16 and three SMLAD a pair of words. All sums are modulo 2^32. Inputs are any int8. */
#ifndef TL_COMPILED_SIMD_H
#define TL_COMPILED_SIMD_H

#include <stdint.h>

#define TL_ALWAYS_INLINE static inline __attribute__((always_inline))

/* Four inputs as int16 lanes: (in[0], in[2]) and (in[1], in[3]). */
typedef struct {
    uint32_t even;
    uint32_t odd;
} tl_quad;

/* Two inputs as int16 lanes. */
TL_ALWAYS_INLINE uint32_t tl_pair_from(const int8_t values[2]) {
    return (uint32_t)(uint16_t)values[0] | ((uint32_t)(uint16_t)values[1] << 16);
}

#if defined(__ARM_FEATURE_DSP)
TL_ALWAYS_INLINE tl_quad tl_quad_from(uint32_t bytes) {
    tl_quad quad;
    __asm__("sxtb16 %0, %2\n\t sxtb16 %1, %2, ror #8" : "=&r"(quad.even), "=r"(quad.odd) : "r"(bytes));
    return quad;
}

/* sum + even[0] * odd[0] + even[1] * odd[1]. */
TL_ALWAYS_INLINE uint32_t tl_quad_product(tl_quad quad, uint32_t sum) {
    __asm__("smlad %0, %1, %2, %0" : "+r"(sum) : "r"(quad.even), "r"(quad.odd));
    return sum;
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

/* SMLAD. */
TL_ALWAYS_INLINE uint32_t tl_dual_multiply(uint32_t a, uint32_t b, uint32_t sum) {
    return sum + (uint32_t)(tl_lane(a, 0) * tl_lane(b, 0)) + (uint32_t)(tl_lane(a, 16) * tl_lane(b, 16));
}

/* SXTAB16: the lower byte of each lane of `word`, added to `lanes`. */
TL_ALWAYS_INLINE uint32_t tl_add_bytes(uint32_t lanes, uint32_t word) {
    return tl_lanes(tl_lane(lanes, 0) + tl_byte(word, 0), tl_lane(lanes, 16) + tl_byte(word, 16));
}

TL_ALWAYS_INLINE tl_quad tl_quad_from(uint32_t bytes) {
    const int32_t a = tl_byte(bytes, 0), b = tl_byte(bytes, 8), c = tl_byte(bytes, 16), d = tl_byte(bytes, 24);
    return (tl_quad){tl_lanes(a, c), tl_lanes(b, d)};
}

/* sum + even[0] * odd[0] + even[1] * odd[1]. */
TL_ALWAYS_INLINE uint32_t tl_quad_product(tl_quad quad, uint32_t sum) {
    return tl_dual_multiply(quad.even, quad.odd, sum);
}
#endif

#endif
