/* One whole step (core/recognizer.h), around an engine that does anything it may, or around the compiled one.
 *
 * Proven: for any codes, any stamp, any state and any answer of the engine, a step stays inside its objects and
 * overflows nothing; the time it uses is 1..2^24-1 us; a failed step takes no stamp and fires nothing. Proven by
 * proof_advance: the same of the step without the decision, with the compiled engine in it. Bounds: the shape of the
 * generated topology.h. Assumed: a model that passed its checks (proof_open in model.c), smoothed logits in their range
 * (decision.c), for proof_advance a KERN section whose records tl_engine_init accepts (proof_init in engine.c), and an
 * engine as that leaves it (proof_rhs in engine.c: a step before makes no difference). */
#include "core/recognizer.h"
#include "proof.h"

#if defined(PROOF_ANY_ENGINE)
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
#endif

/* A recognizer and its model in any state that they can be in; what `model` points to is filled by the caller. */
static void assume_possible(tl_recognizer *recognizer, tl_model *model, const int32_t *multiplier, const int16_t *rates) {
    for (unsigned c = 0; c < TL_INPUTS; ++c) {
        assume(multiplier[c] >= 1 && multiplier[c] <= 32767);
    }
    for (unsigned c = 0; c < TL_OUTPUTS; ++c) {
        const int32_t smoothed = recognizer->decision.smoothed[c];
        assume(smoothed >= -128 * 2048 && smoothed <= 127 * 2048);
    }
    for (unsigned i = 0; i < TL_STATES; ++i) {
        assume(recognizer->state_q[i] >= -127);
    }
    assume(model->dt_max_us >= 1u && model->dt_max_us < (1u << 24));
    assume(model->period_us >= 1u && model->period_us < (1u << 24));
    assume(model->decision.smoothing_us < (1u << 20) && model->decision.background >= -1);
    assume(model->decision.background < TL_OUTPUTS);
    assume(model->dt_per_us > 0.0f && model->dt_per_us <= 1.0f);
    model->multiplier = multiplier;
    model->rate_table = rates;
    recognizer->model = model;
    recognizer->mark = NULL;
}

static void prove_step(const tl_recognizer *recognizer, tl_engine_status status, uint32_t delta_us, uint64_t before,
                       uint64_t t_us) {
    prove(delta_us >= 1u && delta_us < (1u << 24), "a time that was checked");
    prove(recognizer->last_us == (status == TL_ENGINE_OK ? t_us : before), "a failed step takes no stamp");
    for (unsigned i = 0; i < TL_STATES; ++i) {
        prove(recognizer->state_q[i] >= -127, "the next step's state in the range that the engine asks for");
    }
}

#if defined(PROOF_ANY_ENGINE)
void proof_step(void) {
    tl_recognizer recognizer;
    tl_model model;
    int16_t code[TL_CHANNELS];
    int32_t multiplier[TL_INPUTS];
    int16_t rates[256u * TL_RATE_TABLES];
    uint64_t t_us;
    tl_step_result result;
    assume_possible(&recognizer, &model, multiplier, rates);
    const uint64_t before = recognizer.last_us;
    const tl_engine_status status = tl_recognizer_step(&recognizer, code, t_us, &result);
    prove_step(&recognizer, status, result.delta_us, before, t_us);
    prove(status == TL_ENGINE_OK || !result.decision.fired, "a failed step fires nothing");
    reached();
}
#else
static uint32_t section[TL_KERN_BYTES / sizeof(uint32_t)];

void proof_advance(void) {
    tl_recognizer recognizer;
    tl_model model;
    int16_t code[TL_CHANNELS];
    int32_t multiplier[TL_INPUTS];
    int16_t rates[256u * TL_RATE_TABLES];
    uint64_t t_us;
    tl_step_result result;
    assume_possible(&recognizer, &model, multiplier, rates);
    __CPROVER_havoc_object(section);
    model.kernels = (const uint8_t *)section;
    model.kernels_size = TL_KERN_BYTES;
    assume(tl_engine_init(&recognizer.engine, &model) == TL_ENGINE_OK);
    const uint64_t before = recognizer.last_us;
    const tl_engine_status status = tl_recognizer_advance(&recognizer, code, t_us, &result);
    prove(status == TL_ENGINE_OK, "the compiled engine has no way to fail");
    prove_step(&recognizer, status, result.delta_us, before, t_us);
    reached();
}
#endif
