#include "core/decision.h"

#include <string.h>

#define SEEN_MAX 65535u

void tl_decision_init(tl_decision *decision, const tl_decision_parameters *parameters) {
    decision->last_us = 0;
    decision->fired_once = false;
    tl_decision_reset(decision, parameters);
}

void tl_decision_reset(tl_decision *decision, const tl_decision_parameters *parameters) {
    memset(decision->smoothed, 0, sizeof decision->smoothed);
    decision->latched = parameters->background;
    decision->seen = 0;
}

tl_decision_result tl_decision_step(tl_decision *decision, const tl_decision_parameters *parameters,
                                    const int8_t y[TL_OUTPUTS], uint64_t t_us) {
    for (unsigned c = 0; c < TL_OUTPUTS; ++c) {
        decision->smoothed[c] += (y[c] * 65536 - decision->smoothed[c]) >> parameters->smoothing_shift;
    }
    if (decision->seen < SEEN_MAX) {
        ++decision->seen;
    }

    unsigned winner = 0;
    int32_t best = decision->smoothed[0];
    int32_t second = INT32_MIN;
    for (unsigned c = 1; c < TL_OUTPUTS; ++c) {
        const int32_t value = decision->smoothed[c];
        if (value > best) {
            second = best;
            best = value;
            winner = c;
        } else if (value > second) {
            second = value;
        }
    }

    tl_decision_result result = {.winner = (uint8_t)winner, .margin = (best - second) >> 8, .fired = false};
    if ((int32_t)winner == parameters->background) {
        decision->latched = parameters->background;
        return result;
    }
    result.fired = result.margin >= parameters->threshold && (int32_t)winner != decision->latched &&
                   decision->seen > parameters->warmup_samples &&
                   (!decision->fired_once || t_us - decision->last_us >= parameters->holdoff_us);
    if (result.fired) {
        decision->latched = (int32_t)winner;
        decision->last_us = t_us;
        decision->fired_once = true;
    }
    return result;
}
