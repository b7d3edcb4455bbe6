/* Into int8 (core/prepare.h).
 *
 * Proven: tl_prepare_codes and tl_prepare_state stay inside their arrays, overflow nothing, and give values in
 * [-127, 127], for any codes and any state, infinities and NaNs included.
 * Bounds: the shape of the generated topology.h.
 * Assumed: multipliers within 1..32767 (proof_open in model.c). */
#include "core/prepare.h"
#include "proof.h"

void proof_prepare_codes(void) {
    int16_t code[TL_INPUTS];
    int32_t multiplier[TL_INPUTS];
    int8_t x[TL_INPUTS];
    for (unsigned c = 0; c < TL_INPUTS; ++c) {
        assume(multiplier[c] >= 1 && multiplier[c] <= 32767);
    }
    tl_prepare_codes(code, multiplier, x);
    for (unsigned c = 0; c < TL_INPUTS; ++c) {
        prove(x[c] >= -127, "the int8 range is symmetric");
    }
    reached();
}

void proof_prepare_state(void) {
    float h[TL_STATES];
    float inv_scale;
    int8_t q[TL_STATES];
    tl_prepare_state(h, inv_scale, q);
    for (unsigned i = 0; i < TL_STATES; ++i) {
        prove(q[i] >= -127, "the int8 range is symmetric");
    }
    reached();
}
