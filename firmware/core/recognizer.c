#include "core/recognizer.h"

#include <string.h>

#include "core/integrate.h"
#include "core/prepare.h"

static void tell(const tl_recognizer *recognizer, tl_stage ended) {
    if (recognizer->mark) {
        recognizer->mark(recognizer->mark_argument, ended);
    }
}

static void forget(tl_recognizer *recognizer) {
    /* Four words a turn: a word at a time would be a third of the boot. */
    unsigned i = 0;
#pragma GCC unroll 2
    for (; i + 4u <= TL_STATES; i += 4u) {
        memset(recognizer->state + i, 0, 4u * sizeof recognizer->state[0]);
        memset(recognizer->state_q + i, 0, 4u);
    }
    for (; i < TL_STATES; ++i) {
        recognizer->state[i] = 0.0f;
        recognizer->state_q[i] = 0;
    }
    tl_decision_reset(&recognizer->decision, &recognizer->model->decision);
}

tl_engine_status tl_recognizer_init(tl_recognizer *recognizer, const tl_model *model) {
    /* Field by field: the engine clears itself, and clearing all of it twice is a good part of the boot. */
    recognizer->model = model;
    recognizer->last_us = 0;
    recognizer->started = false;
    recognizer->gap_resets = 0;
    recognizer->engine_errors = 0;
    recognizer->mark = NULL;
    recognizer->mark_argument = NULL;
    memset(&recognizer->difference, 0, sizeof recognizer->difference);
    tl_decision_init(&recognizer->decision, &model->decision);
    forget(recognizer);
    return tl_engine_init(&recognizer->engine, model);
}

void tl_recognizer_reset(tl_recognizer *recognizer) {
    forget(recognizer);
    recognizer->started = false;
}

/* The time since the last sample, or a reset and one nominal period. */
static uint32_t elapsed(tl_recognizer *recognizer, uint64_t t_us, bool *reset) {
    const tl_model *model = recognizer->model;
    const uint64_t delta = t_us - recognizer->last_us; /* a stamp that goes back wraps to a very long gap */
    *reset = !recognizer->started || delta == 0 || delta > model->dt_max_us;
    if (!*reset) {
        return (uint32_t)delta;
    }
    if (recognizer->started) {
        ++recognizer->gap_resets;
    }
    tl_recognizer_reset(recognizer);
    return model->period_us;
}

tl_engine_status tl_recognizer_advance(tl_recognizer *recognizer, const int16_t code[TL_CHANNELS], uint64_t t_us,
                                       tl_step_result *result) {
    const tl_model *model = recognizer->model;
    memset(result, 0, sizeof *result);
    result->delta_us = elapsed(recognizer, t_us, &result->reset);
    int8_t x[TL_INPUTS];
    int16_t room[TL_INPUTS];
    const int16_t *prepared = tl_difference_read(&recognizer->difference, code, result->delta_us, result->reset, room);
    tl_prepare_codes(prepared, model->multiplier, x);
    tell(recognizer, TL_STAGE_PREPARE);

    int8_t f[TL_STATES];
    int8_t z[TL_STATES];
    tl_engine_status status = tl_engine_rhs(&recognizer->engine, x, recognizer->state_q, f, z, result->y);
    tell(recognizer, TL_STAGE_RHS);
    if (status == TL_ENGINE_OK) {
        const float dt = (float)result->delta_us * model->dt_per_us;
        status = tl_integrate(&recognizer->engine, model, x, f, z, dt, recognizer->state, recognizer->state_q);
        tell(recognizer, TL_STAGE_SOLVER);
    }
    if (status != TL_ENGINE_OK) {
        /* Neither the sample nor its stamp is taken: the next good step integrates over the time that was missed. */
        ++recognizer->engine_errors;
        return status;
    }

    tl_difference_take(&recognizer->difference, code, result->delta_us, result->reset);
    recognizer->last_us = t_us;
    recognizer->started = true;
    return TL_ENGINE_OK;
}

tl_engine_status tl_recognizer_step(tl_recognizer *recognizer, const int16_t code[TL_CHANNELS], uint64_t t_us,
                                    tl_step_result *result) {
    const tl_engine_status status = tl_recognizer_advance(recognizer, code, t_us, result);
    if (status == TL_ENGINE_OK) {
        result->decision =
            tl_decision_step(&recognizer->decision, &recognizer->model->decision, result->y, t_us, result->delta_us);
        tell(recognizer, TL_STAGE_DECISION);
    }
    return status;
}
