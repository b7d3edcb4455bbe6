/* One whole step around an engine that does anything it may (core/recognizer.h).
 *
 * Proven: for any codes, any stamp, any state and any answer of the engine, a step stays inside its objects, overflows
 * nothing and converts no number that does not fit; the time it uses is 1..2^24-1 us; a failed engine changes no state.
 * Bounds: the shape of the generated topology.h.
 * Assumed: a model that passed its checks (proof_open in model.c), smoothed logits in their range (decision.c). */
#include "core/recognizer.h"
#include "proof.h"

tl_engine_status tl_engine_rhs(tl_engine *engine, const int8_t *x, const int8_t *h, int8_t *f, int8_t *z, int8_t *y) {
    (void)engine;
    for (unsigned c = 0; c < TL_INPUTS; ++c) {
        prove(x[c] >= -127, "codes in the range that the engine asks for");
    }
    for (unsigned i = 0; i < TL_STATES; ++i) {
        int8_t drive, gate;
        prove(h[i] >= -127, "a state in the range that the engine asks for");
        f[i] = drive;
        z[i] = gate;
    }
    for (unsigned i = 0; i < TL_OUTPUTS; ++i) {
        int8_t logit;
        y[i] = logit;
    }
    tl_engine_status status;
    return status;
}

void proof_step(void) {
    tl_recognizer recognizer;
    tl_model model;
    int16_t code[TL_CHANNELS];
    int32_t multiplier[TL_INPUTS];
    int16_t rates[256u * TL_RATE_TABLES];
    uint64_t t_us;
    tl_step_result result;
    for (unsigned c = 0; c < TL_INPUTS; ++c) {
        assume(multiplier[c] >= 1 && multiplier[c] <= 32767);
    }
    for (unsigned c = 0; c < TL_OUTPUTS; ++c) {
        const int32_t smoothed = recognizer.decision.smoothed[c];
        assume(smoothed >= -128 * 2048 && smoothed <= 127 * 2048);
    }
    assume(model.dt_max_us >= 1u && model.dt_max_us < (1u << 24));
    assume(model.period_us >= 1u && model.period_us < (1u << 24));
    const uint32_t longest = model.dt_max_us > model.period_us ? model.dt_max_us : model.period_us;
    assume(model.rate_unit >= 0x1p-63f && model.rate_unit <= 1.0f && model.dt_per_us > 0.0f && model.dt_per_us <= 1.0f);
    assume((float)longest * model.dt_per_us * (model.rate_unit * 65536.0f) <= 510.0f);
    for (unsigned i = 0; i < TL_STATES; ++i) {
        assume(recognizer.state_q[i] >= -127);
    }
    assume(model.decision.smoothing_us < (1u << 20) && model.decision.background >= -1);
    assume(model.decision.background < TL_OUTPUTS);
    model.multiplier = multiplier;
    model.rate_table = rates;
    recognizer.model = &model;
    recognizer.mark = NULL;
    const uint64_t last_us = recognizer.last_us;
    const tl_engine_status status = tl_recognizer_step(&recognizer, code, t_us, &result);
    prove(result.delta_us >= 1u && result.delta_us < (1u << 24), "a time that was checked");
    prove(recognizer.last_us == (status == TL_ENGINE_OK ? t_us : last_us), "a failed step takes no stamp");
    prove(status == TL_ENGINE_OK || !result.decision.fired, "a failed step fires nothing");
    for (unsigned i = 0; i < TL_STATES; ++i) {
        prove(recognizer.state_q[i] >= -127, "the next step's state in the range that the engine asks for");
    }
    reached();
}
