/* From logits to commands: smoothing, margin, confirmation, latch, hold-off; integers, real time (docs/SPEC.md, 3). */
#ifndef TL_CORE_DECISION_H
#define TL_CORE_DECISION_H

#include <stdbool.h>
#include <stdint.h>

#include "core/model.h"

typedef struct {
    int32_t smoothed[TL_OUTPUTS]; /* logit steps * 2048 */
    int32_t latched;
    int32_t candidate; /* the class that wins by its threshold, or -1 */
    uint32_t held_us;  /* since it first did */
    uint32_t seen_us;  /* since the last reset */
    uint64_t last_us;
    bool fired_once;
} tl_decision;

typedef struct {
    uint8_t winner;
    int32_t margin; /* logit steps * 256 */
    bool fired;
} tl_decision_result;

/* Forgets everything, the hold-off included. */
void tl_decision_init(tl_decision *decision, const tl_decision_parameters *parameters);

/* Forgets the signal; the hold-off is real time and stays. */
void tl_decision_reset(tl_decision *decision, const tl_decision_parameters *parameters);

/* One sample: logits, its stamp, and the interval that the step integrated over (below 2^24 us). */
tl_decision_result tl_decision_step(tl_decision *decision, const tl_decision_parameters *parameters,
                                    const int8_t y[TL_OUTPUTS], uint64_t t_us, uint32_t delta_us);

#endif
