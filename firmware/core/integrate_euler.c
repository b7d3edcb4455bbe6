/* Explicit Euler: stable up to TL_STABLE_UP_TO. */
#include "core/integrate.h"
#include "core/prepare.h"

#if defined(TL_SOLVER_EULER)

tl_engine_status tl_integrate(tl_engine *engine, const tl_model *model, const int8_t x[TL_INPUTS], int8_t f[TL_STATES],
                              int8_t z[TL_STATES], float dt, float h[TL_STATES], int8_t q[TL_STATES]) {
    static const uint16_t units[TL_LAYERS] = TL_UNITS;
    (void)engine;
    (void)x;
    unsigned i = 0;
    for (unsigned layer = 0; layer < TL_LAYERS; ++layer) {
        const int16_t *rate = tl_rates_of(model->rate_table, layer);
        for (const unsigned end = i + units[layer]; i < end; ++i) {
            const float p = dt * tl_slope(h[i], f[i], tl_rate(rate[z[i]], model->rate_unit));
            h[i] = h[i] + p;
        }
    }
    tl_prepare_state(h, model->inv_scale, q);
    return TL_ENGINE_OK;
}

#endif
