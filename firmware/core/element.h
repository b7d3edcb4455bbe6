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

/* 1/d of eight elements, in place; elements that are not there are 1. A division takes the M4 fourteen times as long as
 * a multiplication, so there is one, of the product; the products of four and of two are inverted on the way back.
 * Every operation rounds to float32 by itself. */
static inline void tl_invert_together(float d[TL_SOLVED_TOGETHER]) {
    float pair[4], four[2];
    for (unsigned i = 0; i < 4u; ++i) {
        pair[i] = d[2u * i] * d[2u * i + 1u];
    }
    for (unsigned i = 0; i < 2u; ++i) {
        four[i] = pair[2u * i] * pair[2u * i + 1u];
    }
    const float whole = 1.0f / (four[0] * four[1]);
    for (unsigned i = 0; i < TL_SOLVED_TOGETHER; i += 2u) {
        const float of_four = whole * four[i < 4u ? 1u : 0u];
        const float of_pair = of_four * pair[i / 2u ^ 1u];
        const float first = d[i];
        d[i] = of_pair * d[i + 1u];
        d[i + 1u] = of_pair * first;
    }
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

/* The new h of up to eight elements from h, f (int8, scale 1/128), the entries of their rates and dt. */
static inline void tl_solve_together(float *h, const int8_t *f, const int16_t *entry, unsigned count, float dt,
                                     tl_leak leak) {
    float d[TL_SOLVED_TOGETHER] = {1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f, 1.0f};
    for (unsigned i = 0; i < count; ++i) {
        const int32_t divisor = leak.least + (int32_t)(((int64_t)leak.time * entry[i]) >> 16);
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
