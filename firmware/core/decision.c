#include "core/decision.h"

#include <string.h>

#define TIME_MOST_US (1u << 30)
#define DELTA_MOST_US ((1u << 20) - 1u) /* delta << 12 fits 32 bits */
#define STEP 2048                       /* 255 * STEP * 4096 < 2^31: the product of the smoothing fits */
#define NOBODY (-1)

static uint32_t later(uint32_t time_us, uint32_t delta_us) {
    const uint32_t sum = time_us + delta_us; /* below 2^30 + 2^24 */
    return sum < TIME_MOST_US ? sum : TIME_MOST_US;
}

void tl_decision_init(tl_decision *decision, const tl_decision_parameters *parameters) {
    decision->last_us = 0;
    decision->fired_once = false;
    tl_decision_reset(decision, parameters);
}

void tl_decision_reset(tl_decision *decision, const tl_decision_parameters *parameters) {
    memset(decision->smoothed, 0, sizeof decision->smoothed);
    decision->latched = parameters->background;
    decision->candidate = NOBODY;
    decision->held_us = 0;
    decision->seen_us = 0;
}

tl_decision_result tl_decision_step(tl_decision *decision, const tl_decision_parameters *parameters,
                                    const int8_t y[TL_OUTPUTS], uint64_t t_us, uint32_t delta_us) {
    const uint32_t delta = delta_us < DELTA_MOST_US ? delta_us : DELTA_MOST_US;
    const int32_t weight = (int32_t)((delta << 12) / (parameters->smoothing_us + delta)); /* 0..4096; delta > 0 */
    for (unsigned c = 0; c < TL_OUTPUTS; ++c) {
        decision->smoothed[c] += ((y[c] * STEP - decision->smoothed[c]) * weight) >> 12;
    }
    decision->seen_us = later(decision->seen_us, delta_us);

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

    tl_decision_result result = {.winner = (uint8_t)winner, .margin = (best - second) >> 3, .fired = false};
    if ((int32_t)winner == parameters->background) {
        decision->latched = parameters->background;
        decision->candidate = NOBODY;
        return result;
    }
    if (result.margin < parameters->threshold[winner]) {
        decision->candidate = NOBODY;
        return result;
    }
    if ((int32_t)winner == decision->candidate) {
        decision->held_us = later(decision->held_us, delta_us);
    } else {
        decision->candidate = (int32_t)winner;
        decision->held_us = 0;
    }
    result.fired = (int32_t)winner != decision->latched && decision->held_us >= parameters->confirm_us &&
                   decision->seen_us > parameters->warmup_us &&
                   (!decision->fired_once || t_us - decision->last_us >= parameters->holdoff_us);
    if (result.fired) {
        decision->latched = (int32_t)winner;
        decision->last_us = t_us;
        decision->fired_once = true;
    }
    return result;
}
