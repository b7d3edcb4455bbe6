/* The compiled engine of one shape (engine/engine.h; the portable C of engine/compiled).
 *
 * Proven by proof_init: whatever bytes the KERN section holds, tl_engine_init reads only them, and what it accepts has
 * its multipliers, shifts and zero points in the ranges that the arithmetic needs.
 * Proven by proof_rhs: whatever else an accepted section holds, and for all inputs, two right-hand sides one after the
 * other touch nothing outside the section, the inputs, the outputs and the context, overflow nothing and shift by no
 * wrong number. The first one's outputs are gone when the second begins: nothing of them is kept.
 * Bounds: the shape of the generated topology.h; every loop is unrolled to its end (unwinding assertions).
 * Assumed: nothing of x and h. The M4's own instructions are not seen: the tests hold them to the bits of the C that
 * is. */
#include "engine/engine.h"
#include "engine_compiled.h"
#include "proof.h"
#include "requantize.h"

#ifndef SECTION_MISSING /* bytes; not 0: the proof must fail */
#define SECTION_MISSING 0
#endif
static uint32_t section[(TL_KERN_BYTES - SECTION_MISSING) / sizeof(uint32_t)];

/* What the check is good for: without it, shifts are out of range. */
bool unchecked(const uint8_t *kernels) {
    (void)kernels;
    return true;
}

static tl_engine_status start(tl_engine *engine) {
    tl_model model;
    __CPROVER_havoc_object(section);
    model.kernels = (const uint8_t *)section;
    model.kernels_size = TL_KERN_BYTES;
    return tl_engine_init(engine, &model);
}

void proof_init(void) {
    tl_engine engine;
    if (start(&engine) != TL_ENGINE_OK) {
        return;
    }
    for (unsigned i = 0; i < TL_DENSES; ++i) {
        const tl_requantization *record = (const tl_requantization *)(const void *)section + i;
        prove(record->multiplier >= TL_MULTIPLIER_MIN, "an accepted multiplier");
        prove(record->shift >= TL_SHIFT_MIN && record->shift <= TL_SHIFT_MAX, "an accepted shift");
        prove(record->zero_point >= INT8_MIN && record->zero_point <= INT8_MAX, "an accepted zero point");
    }
    reached();
}

static void answer(tl_engine *engine) {
    int8_t x[TL_INPUTS], h[TL_STATES], f[TL_STATES], z[TL_STATES], y[TL_OUTPUTS];
    prove(tl_engine_rhs(engine, x, h, f, z, y) == TL_ENGINE_OK, "the right-hand side has no way to fail");
}

#ifndef ANSWERS
#define ANSWERS 2u
#endif
void proof_rhs(void) {
    tl_engine engine;
    (void)start(&engine);
    for (unsigned i = 0; i < ANSWERS; ++i) {
        answer(&engine);
    }
    reached();
}
