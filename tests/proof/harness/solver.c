/* The solver (core/solver.h).
 *
 * Proven: for any h, f, z, tables and dt, NaNs and infinities included, it touches no byte outside its arrays.
 * Bounds: the shape of the generated topology.h.
 * Assumed: nothing. */
#include "core/solver.h"
#include "proof.h"

#ifndef SOLVER_MISSING /* 1: the proof must fail */
#define SOLVER_MISSING 0
#endif

void proof_solver(void) {
    float dt;
    tl_solver_step(any_bytes((TL_STATES - SOLVER_MISSING) * sizeof(float)), any_bytes(TL_STATES), any_bytes(TL_STATES),
                   any_bytes(256u * TL_LAYERS * sizeof(float)), dt);
    reached();
}
