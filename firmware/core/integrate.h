/* One step of the ODE by the solver that topology.h names (docs/SPEC.md, 2.5): only that solver's code is compiled. */
#ifndef TL_CORE_INTEGRATE_H
#define TL_CORE_INTEGRATE_H

#include <stdint.h>

#include "engine/engine.h"

#if !defined(TL_SOLVER_SEMI_IMPLICIT) && !defined(TL_SOLVER_EXPONENTIAL) && !defined(TL_SOLVER_EULER) &&               \
    !defined(TL_SOLVER_RK4)
#error "topology.h names no solver that this firmware knows."
#endif

/* Advances h[TL_STATES] by dt (model time) in place. x is the sample; f and z are the right-hand side at h, and are
 * overwritten by a solver that evaluates it again; q becomes the new h as int8, what the next step reads. When an
 * evaluation fails, h and q stay as they were. */
tl_engine_status tl_integrate(tl_engine *engine, const tl_model *model, const int8_t x[TL_INPUTS], int8_t f[TL_STATES],
                              int8_t z[TL_STATES], float dt, float h[TL_STATES], int8_t q[TL_STATES]);

/* dh/dt of one unit: f is the int8 drive, r is 1/tau. */
static inline float tl_slope(float h, int8_t f, float r) {
    const float leak = r * h;
    return (float)f * 0.0078125f - leak;
}

#endif
