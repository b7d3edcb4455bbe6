/* The decision (core/decision.h).
 *
 * Proven: with parameters that pass the checks of the model image, any logits and any stamp, a step overflows nothing,
 * divides by no zero and stays inside its arrays; the smoothed logits stay in the range of the logits times 2,048, so
 * that by induction this holds for every signal, of any length; the winner is a class, the margin is not negative,
 * nothing fires for the background.
 * Bounds: the outputs of the generated topology.h.
 * Assumed: the ranges of the parameters (proof_open in model.c), a time that was checked (recognizer.c). */
#include "core/decision.h"
#include "proof.h"

static bool possible(const tl_decision *decision) {
    bool inside = true;
    for (unsigned c = 0; c < TL_OUTPUTS; ++c) {
        inside = inside && decision->smoothed[c] >= -128 * 2048 && decision->smoothed[c] <= 127 * 2048;
    }
    return inside;
}

void proof_decision(void) {
    tl_decision decision;
    tl_decision_parameters parameters;
    int8_t y[TL_OUTPUTS];
    uint64_t t_us;
    uint32_t delta_us;
    assume(possible(&decision));
    assume(parameters.background >= -1 && parameters.background < TL_OUTPUTS && parameters.smoothing_us < (1u << 20));
    assume(delta_us >= 1u && delta_us < (1u << 24));
    const tl_decision_result result = tl_decision_step(&decision, &parameters, y, t_us, delta_us);
    prove(possible(&decision), "the smoothed logits keep their range");
    prove(result.winner < TL_OUTPUTS && result.margin >= 0, "a class, by a margin");
    prove(!result.fired || (int32_t)result.winner != parameters.background, "the background fires nothing");
    reached();
}
