/* The classical Runge-Kutta method: four right-hand sides a sample, which is held meanwhile. Every stage quantizes the
 * state of all layers and evaluates all of them; stable up to TL_STABLE_UP_TO. */
#include "core/integrate.h"
#include "core/prepare.h"

#if defined(TL_SOLVER_RK4)

/* The three stages after the first: how far each lies from h along the slope before it. */
#define STAGES 3u

/* Slopes at `from`; adds them, the first once and the next two twice, and goes from h along them to the next stage,
 * which may lie where `from` does. */
static void next_stage(float stage[TL_STATES], float total[TL_STATES], const float h[TL_STATES], const float *from,
                       const int8_t f[TL_STATES], const int8_t z[TL_STATES], const tl_model *model, float step) {
    static const uint16_t units[TL_LAYERS] = TL_UNITS;
    unsigned i = 0;
    for (unsigned layer = 0; layer < TL_LAYERS; ++layer) {
        const int16_t *rate = tl_rates_of(model->rate_table, layer);
        for (const unsigned end = i + units[layer]; i < end; ++i) {
            const float k = tl_slope(from[i], f[i], tl_rate(rate[z[i]], model->rate_unit));
            total[i] = from == h ? k : total[i] + (k + k);
            const float p = step * k;
            stage[i] = h[i] + p;
        }
    }
}

static void finish(float h[TL_STATES], const float total[TL_STATES], const float stage[TL_STATES],
                   const int8_t f[TL_STATES], const int8_t z[TL_STATES], const tl_model *model, float sixth) {
    static const uint16_t units[TL_LAYERS] = TL_UNITS;
    unsigned i = 0;
    for (unsigned layer = 0; layer < TL_LAYERS; ++layer) {
        const int16_t *rate = tl_rates_of(model->rate_table, layer);
        for (const unsigned end = i + units[layer]; i < end; ++i) {
            const float sum = total[i] + tl_slope(stage[i], f[i], tl_rate(rate[z[i]], model->rate_unit));
            const float p = sixth * sum;
            h[i] = h[i] + p;
        }
    }
}

tl_engine_status tl_integrate(tl_engine *engine, const tl_model *model, const int8_t x[TL_INPUTS], int8_t f[TL_STATES],
                              int8_t z[TL_STATES], float dt, float h[TL_STATES], int8_t q[TL_STATES]) {
    int8_t stage_q[TL_STATES];
    const float half = dt * 0.5f;
    const float step[STAGES] = {half, half, dt};
    float stage[TL_STATES];
    float total[TL_STATES];
    for (unsigned s = 0; s < STAGES; ++s) {
        next_stage(stage, total, h, s == 0u ? h : stage, f, z, model, step[s]);
        int8_t y[TL_OUTPUTS]; /* the logits are those of the first evaluation */
        tl_prepare_state(stage, model->inv_scale, stage_q);
        const tl_engine_status status = tl_engine_rhs(engine, x, stage_q, f, z, y);
        if (status != TL_ENGINE_OK) {
            return status;
        }
    }
    finish(h, total, stage, f, z, model, dt * 0x1.555556p-3f);
    tl_prepare_state(h, model->inv_scale, q);
    return TL_ENGINE_OK;
}

#endif
