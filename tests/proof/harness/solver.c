/* The solver (core/solver.h).
 *
 * Proven: for any h, f, z, tables and dt, NaNs and infinities included, it touches no byte outside its arrays.
 * Bounds: the shape of the generated topology.h.
 * Assumed: nothing. */
#include "core/solver.h"
#include "proof.h"

#ifndef SOLVER_STATES /* fewer: the proof must fail */
#define SOLVER_STATES TL_STATES
#endif

void proof_solver(void) {
    float dt;
    tl_solver_step(any_bytes(SOLVER_STATES * sizeof(float)), any_bytes(TL_STATES), any_bytes(TL_STATES),
                   any_bytes(256u * TL_LAYERS * sizeof(float)), dt);
    reached();
}
