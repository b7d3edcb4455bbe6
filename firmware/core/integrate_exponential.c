/* The exponential solver: exact for a drive and a rate that are frozen over the step, stable for every dt. */
#include <string.h>

#include "core/integrate.h"
#include "core/prepare.h"

#if defined(TL_SOLVER_EXPONENTIAL)

/* From here on 1 - exp(-t) is 1. */
#define SATURATED 32.0f
#define SATURATED_BITS 0x42000000

/* 1.5 * 2^23: adding it rounds a small number to a whole one, half to even (core/prepare.c). */
#define ROUNDER 12582912.0f
#define ROUNDER_BITS 0x4B400000

#define LOG2_E 0x1.715476p+0f
/* ln 2 in two parts: the first has ten bits, so that its products with n are exact. */
#define LN2_HIGH 0x1.63p-1f
#define LN2_LOW -0x1.bd0106p-13f

/* 1 - exp(-t) for t >= 0. t = n ln 2 + s with |s| <= ln 2 / 2; with Q = 1 - exp(-s) it is (1 - 2^-n) + 2^-n Q, where
 * nothing cancels. Q = s - s^2 R(s); the polynomial is that of docs/SPEC.md, 2.7. No comparison of floats: it would
 * cost a branch. */
static inline float one_minus_exp(float t) {
    int32_t bits;
    memcpy(&bits, &t, sizeof bits);
    bits = bits > SATURATED_BITS ? SATURATED_BITS : bits;
    memcpy(&t, &bits, sizeof t);

    const float rounded = t * LOG2_E + ROUNDER;
    const float n = rounded - ROUNDER;
    const float nearly = t - n * LN2_HIGH;
    const float s = nearly - n * LN2_LOW;
    float r = 0x1.6d99bep-10f;
    r = r * s + -0x1.12287ep-7f;
    r = r * s + 0x1.555486p-5f;
    r = r * s + -0x1.5554aep-3f;
    r = r * s + 0x1p-1f;
    const float q = s - s * s * r;

    float power;
    memcpy(&bits, &rounded, sizeof bits);
    bits = (127 - (bits - ROUNDER_BITS)) * (1 << 23);
    memcpy(&power, &bits, sizeof power);
    return (1.0f - power) + power * q;
}

tl_engine_status tl_integrate(tl_engine *engine, const tl_model *model, const int8_t x[TL_INPUTS], int8_t f[TL_STATES],
                              int8_t z[TL_STATES], float dt, float h[TL_STATES], int8_t q[TL_STATES]) {
    static const uint16_t units[TL_LAYERS] = TL_UNITS;
    (void)engine;
    (void)x;
    unsigned i = 0;
    for (unsigned layer = 0; layer < TL_LAYERS; ++layer) {
        const int16_t *rate = tl_rates_of(model->rate_table, layer);
        for (const unsigned end = i + units[layer]; i < end; ++i) {
            const float r = tl_rate(rate[z[i]], model->rate_unit);
            const float weight = one_minus_exp(dt * r) / r;
            const float p = weight * tl_slope(h[i], f[i], r);
            h[i] = h[i] + p;
        }
    }
    tl_prepare_state(h, model->inv_scale, q);
    return TL_ENGINE_OK;
}

#endif
