/* The solver (core/solver.h).
 *
 * Proven: for any h, f, z and table, NaNs and infinities included, it touches no byte outside its arrays.
 * Bounds: the shape of the generated topology.h.
 * Assumed: dt times the largest rate is what tl_model_open lets through. */
#include "core/solver.h"
#include "proof.h"

#ifndef SOLVER_MISSING /* 1: the proof must fail */
#define SOLVER_MISSING 0
#endif

void proof_solver(void) {
    float dt, unit;
    assume(unit >= 0x1p-63f && unit <= 1.0f && dt >= 0.0f && dt * (unit * 65536.0f) <= 510.0f);
    tl_solver_step(any_bytes((TL_STATES - SOLVER_MISSING) * sizeof(float)), any_bytes(TL_STATES), any_bytes(TL_STATES),
                   any_bytes(256u * TL_RATE_TABLES * sizeof(int16_t)), unit, dt);
    reached();
}
