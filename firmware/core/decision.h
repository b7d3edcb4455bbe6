/* From logits to commands: smoothing, margin, latch and hold-off, in integers (docs/SPEC.md, 3). */
#ifndef TL_CORE_DECISION_H
#define TL_CORE_DECISION_H

#include <stdbool.h>
#include <stdint.h>

#include "core/model.h"

typedef struct {
    int32_t smoothed[TL_OUTPUTS]; /* logit steps * 65536 */
    int32_t latched;
    uint32_t seen;
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

tl_decision_result tl_decision_step(tl_decision *decision, const tl_decision_parameters *parameters,
                                    const int8_t y[TL_OUTPUTS], uint64_t t_us);

#endif
