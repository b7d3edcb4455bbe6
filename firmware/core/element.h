/* One element of the state: the semi-implicit step and the way into int8 (docs/SPEC.md, 2.5 and 2.3). What the loops
 * for the M4 do several at a time, they do like this. */
#ifndef TL_CORE_ELEMENT_H
#define TL_CORE_ELEMENT_H

#include <stdint.h>
#include <string.h>

#define TL_STATE_LIMIT 127

/* The new h from h, f (int8, scale 1/128), r = 1/tau and dt. Every operation rounds to float32 by itself, in this
 * order. */
static inline float tl_solve_element(float h, int8_t f, float r, float dt) {
    const float t = dt * r;
    const float d = 1.0f + t;
    const float a = 1.0f / d;
    const float p = dt * ((float)f * 0.0078125f);
    const float s = h + p;
    return a * s;
}

/* clamp(rint(h * inv_scale), -127, 127), half to even.
 *
 * 1.5 * 2^23: between 2^23 and 2^24 one step of a float is exactly 1, so adding this rounds a small number to the
 * nearest integer, half to even, without libm; the integer is then the difference of the two bit patterns. The bits of
 * a sum, read as an int32, rise with the sum whatever its size or sign, so clamping them clamps the number: as
 * integers, because float comparisons cost a branch each. */
static inline int8_t tl_quantize_element(float h, float inv_scale) {
    const int32_t rounder_bits = 0x4B400000;
    const float sum = h * inv_scale + 12582912.0f;
    int32_t bits;
    memcpy(&bits, &sum, sizeof bits);
    bits = bits > rounder_bits + TL_STATE_LIMIT ? rounder_bits + TL_STATE_LIMIT : bits;
    bits = bits < rounder_bits - TL_STATE_LIMIT ? rounder_bits - TL_STATE_LIMIT : bits;
    return (int8_t)(bits - rounder_bits);
}

#endif
