/* What is new among the health counters: whether to send them, and which trouble was never told. */
#ifndef TL_CORE_HEALTH_H
#define TL_CORE_HEALTH_H

#include <stdbool.h>
#include <stdint.h>

#include "core/message.h"

typedef struct {
    tl_health last;
    uint32_t told; /* one bit per kind of trouble */
} tl_health_watch; /* starts as all zeros */

/* Whether any figure but the number of samples changed since the last call. */
bool tl_health_moved(tl_health_watch *watch, const tl_health *now);

/* One sentence for a kind of trouble that happened and was not told yet, or NULL. Call until NULL. */
const char *tl_health_trouble(tl_health_watch *watch, const tl_health *now, tl_severity *severity);

/* Whether every state is a number. None becomes anything else by computing (docs/SPEC.md, 2.3), so one that is not was
 * overwritten; and it would stay so, since a step only adds to it. */
bool tl_health_states_finite(const float *state, uint32_t states);

#endif
