/* Elements of the state: the semi-implicit step and the way into int8 (docs/SPEC.md, 2.5 and 2.3). What the loops for
 * the M4 do in assembler, they do like this. */
#ifndef TL_CORE_ELEMENT_H
#define TL_CORE_ELEMENT_H

#include <stdint.h>
#include <string.h>

#include "core/model.h"

#define TL_STATE_LIMIT 127

/* Units of a layer that share one division. */
#define TL_SOLVED_TOGETHER 8u

/* 1/d of two elements, in place, from that of their product. */
static inline void tl_invert_two(float d[2], float inverse_of_product) {
    const float first = d[0];
    d[0] = inverse_of_product * d[1];
    d[1] = inverse_of_product * first;
}

/* 1/d of eight elements, in place; elements that are not there are 1. A division takes the M4 fourteen times as long as
 * a multiplication, so there is one, of the product; the products of four and of two are inverted on the way back.
 * Every operation rounds to float32 by itself. */
static inline void tl_invert_together(float d[TL_SOLVED_TOGETHER]) {
    const float a = d[0] * d[1], b = d[2] * d[3], c = d[4] * d[5], e = d[6] * d[7];
    float four[2] = {a * b, c * e};
    tl_invert_two(four, 1.0f / (four[0] * four[1]));
    tl_invert_two(d, four[0] * b);
    tl_invert_two(d + 2, four[0] * a);
    tl_invert_two(d + 4, four[1] * e);
    tl_invert_two(d + 6, four[1] * c);
}

/* dt as the leak counts it: with a rate of n units, 2^22 * (1 + dt * r) is least + ((time * (n - TL_RATE_ZERO)) >> 16),
 * one SMLAWB. Within 2^22 - 2 to 2^31 for any entry, as dt times the largest rate is at most 510 (core/model.c). */
typedef struct {
    int32_t time;
    int32_t least;
} tl_leak;

#define TL_DIVISOR_ONE 4194304

/* `most`: dt times 2^16 units, the largest rate there can be; 0 to 510. */
static inline tl_leak tl_leak_of(float most) {
    const int32_t time = (int32_t)(most * (float)TL_DIVISOR_ONE);
    return (tl_leak){time, TL_DIVISOR_ONE + (int32_t)(((int64_t)time * TL_RATE_ZERO) >> 16)};
}

static inline tl_leak tl_leak_over(float dt, float rate_unit) {
    return tl_leak_of(dt * (rate_unit * 65536.0f));
}

/* The new h of up to eight elements from h, f (int8, scale 1/128), z, the rates by z and dt. */
static inline void tl_solve_together(float *h, const int8_t *f, const int8_t *z, const int16_t *rate, unsigned count,
                                     float dt, tl_leak leak) {
    float d[TL_SOLVED_TOGETHER] = {1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f};
    for (unsigned i = 0; i < count; ++i) {
        const int32_t divisor = leak.least + (int32_t)(((int64_t)leak.time * rate[z[i]]) >> 16);
        d[i] = (float)divisor * (1.0f / TL_DIVISOR_ONE);
    }
    tl_invert_together(d);
    for (unsigned i = 0; i < count; ++i) {
        const float p = dt * ((float)f[i] * 0.0078125f);
        const float s = h[i] + p;
        h[i] = d[i] * s;
    }
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
