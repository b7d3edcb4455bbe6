/* The generated kernels of one model (engine/engine.h; the portable C of engine/compiled).
 *
 * Proven by proof_any_weights: whatever bytes the KERN section holds, tl_engine_init reads only them, and what it accepts
 * is computed by tl_engine_rhs without an access outside the section, the inputs, the outputs and the context, without
 * undefined shift and without division by zero, for all inputs.
 * Proven by proof_own_weights: with the model's own section (kern.h, made by the test), the same and no signed overflow.
 * Bounds: the shape of the generated topology.h; every loop is unrolled to its end (unwinding assertions).
 * Assumed: x and h lie in [-127, 127] (state.c proves it of what the recognizer hands over). The M4's own instructions
 * are not seen: the tests hold them to the bits of the C that is. */
#include "engine/engine.h"
#include "kern.h" /* static const uint32_t kern[TL_KERN_BYTES / 4] */
#include "proof.h"

static void any_int8(int8_t *values, unsigned count) {
    for (unsigned i = 0; i < count; ++i) {
        int8_t value;
        assume(value >= -127);
        values[i] = value;
    }
}

static void step(const uint32_t *kernels) {
    tl_engine engine;
    tl_model model;
    int8_t x[TL_INPUTS], h[TL_STATES], f[TL_STATES], z[TL_STATES], y[TL_OUTPUTS];
    any_int8(x, TL_INPUTS);
    any_int8(h, TL_STATES);
    model.kernels = (const uint8_t *)kernels;
    model.kernels_size = TL_KERN_BYTES;
    const tl_engine_status status = tl_engine_init(&engine, &model);
#ifdef PROOF_UNCHECKED /* what the check of the section is good for */
    engine.kernels = model.kernels;
#else
    if (status != TL_ENGINE_OK) {
        return;
    }
#endif
    prove(tl_engine_rhs(&engine, x, h, f, z, y) == TL_ENGINE_OK, "the step has no way to fail");
    reached();
}

void proof_any_weights(void) {
    uint32_t kernels[TL_KERN_BYTES / sizeof(uint32_t)];
    step(kernels);
}

void proof_own_weights(void) {
    _Static_assert(sizeof kern == TL_KERN_BYTES, "kern.h is of another shape");
    step(kern);
}
