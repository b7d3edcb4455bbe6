/* The decision (core/decision.h).
 *
 * Proven: with parameters that pass the checks of the model image, any logits and any stamp, a step overflows nothing,
 * shifts by no wrong amount and stays inside its arrays; the smoothed logits stay in the range of the logits times
 * 65,536, so that by induction this holds for every signal, of any length; the winner is a class, the margin is not
 * negative, nothing fires for the background.
 * Bounds: the outputs of the generated topology.h.
 * Assumed: the ranges of the parameters (proof_open in model.c). */
#include "core/decision.h"
#include "proof.h"

static bool possible(const tl_decision *decision) {
    bool inside = true;
    for (unsigned c = 0; c < TL_OUTPUTS; ++c) {
        inside = inside && decision->smoothed[c] >= -128 * 65536 && decision->smoothed[c] <= 127 * 65536;
    }
    return inside;
}

void proof_decision(void) {
    tl_decision decision;
    tl_decision_parameters parameters;
    int8_t y[TL_OUTPUTS];
    uint64_t t_us;
    assume(possible(&decision));
    assume(parameters.background >= -1 && parameters.background < TL_OUTPUTS && parameters.smoothing_shift <= 8u);
    assume(parameters.threshold >= 0 && parameters.threshold < (1 << 24) && parameters.warmup_samples < (1u << 16));
    const tl_decision_result result = tl_decision_step(&decision, &parameters, y, t_us);
    prove(possible(&decision), "the smoothed logits keep their range");
    prove(result.winner < TL_OUTPUTS && result.margin >= 0, "a class, by a margin");
    prove(!result.fired || (int32_t)result.winner != parameters.background, "the background fires nothing");
    reached();
}
