/* One sample in, one decision out: IMU codes, right-hand side, solver, decision (docs/SPEC.md, 2). */
#ifndef TL_CORE_RECOGNIZER_H
#define TL_CORE_RECOGNIZER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/decision.h" /* tl_decision, tl_decision_result, tl_decision_reset, tl_decision_step */
#include "core/difference.h"
#include "engine/engine.h"

/* The stages whose end `mark` is told; the order is the order in time. */
typedef enum {
    TL_STAGE_PREPARE = 0,
    TL_STAGE_RHS = 1,
    TL_STAGE_SOLVER = 2,
    TL_STAGE_DECISION = 3,
    TL_STAGES = 4
} tl_stage;

typedef void (*tl_mark)(void *argument, tl_stage ended);

typedef struct {
    const tl_model *model;
    tl_engine engine;
    tl_decision decision;
    tl_difference difference;
    float state[TL_STATES];
    int8_t state_q[TL_STATES]; /* the same as int8: what the right-hand side reads */
    uint64_t last_us;
    bool started;
    uint32_t gap_resets;
    uint32_t engine_errors;
    tl_mark mark; /* may be NULL */
    void *mark_argument;
} tl_recognizer;

typedef struct {
    uint32_t delta_us;
    bool reset;
    int8_t y[TL_OUTPUTS];
    tl_decision_result decision; /* winner (uint8_t), margin (int32_t), fired (bool) */
} tl_step_result;

tl_engine_status tl_recognizer_init(tl_recognizer *recognizer, const tl_model *model);

/* One whole step. On an engine error the state stays as it was, nothing fires, and the error is counted. */
tl_engine_status tl_recognizer_step(tl_recognizer *recognizer, const int16_t code[TL_CHANNELS], uint64_t t_us,
                                    tl_step_result *result);

/* The same without the decision stage, whose result stays zero: codes in, state and logits out. */
tl_engine_status tl_recognizer_advance(tl_recognizer *recognizer, const int16_t code[TL_CHANNELS], uint64_t t_us,
                                       tl_step_result *result);

/* Forgets the signal (states, smoothed logits); the hold-off stays. */
void tl_recognizer_reset(tl_recognizer *recognizer);

#endif
