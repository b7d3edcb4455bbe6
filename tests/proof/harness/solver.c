/* The solvers (core/solver.h, core/integrate.h).
 *
 * Proven: for any h, f, z, tables and dt, NaNs and infinities included, and whatever the engine answers to a solver
 * that asks it again, a step touches no byte outside its arrays and overflows nothing; the state becomes int8 in the
 * range that the engine asks for. Bounds: the shape and the solver of the generated topology.h. Assumed: for the
 * exponential solver, dt and rates in the ranges that tl_model_open admits (model.c). */
#include "core/integrate.h"
#include "proof.h"

#ifndef SOLVER_MISSING /* 1: the proof must fail */
#define SOLVER_MISSING 0
#endif

tl_engine_status tl_engine_rhs(tl_engine *engine, const int8_t *x, const int8_t *h, int8_t *f, int8_t *z, int8_t *y) {
    (void)engine;
    (void)x;
    for (unsigned i = 0; i < TL_STATES; ++i) {
        int8_t drive, gate;
        prove(h[i] >= -127, "a state in the range that the engine asks for");
        f[i] = drive;
        z[i] = gate;
    }
    for (unsigned i = 0; i < TL_OUTPUTS; ++i) {
        int8_t logit;
        y[i] = logit;
    }
    tl_engine_status status;
    return status;
}

void proof_integrate(void) {
    /* Variables, not memory from malloc: CBMC then knows where each pointer leads, and folds the loops. */
    float h[TL_STATES - SOLVER_MISSING];
    float rates[256u * TL_LAYERS];
    int8_t x[TL_INPUTS], f[TL_STATES], z[TL_STATES], q[TL_STATES];
    tl_engine engine;
    tl_model model;
    float dt;
    model.rate_table = rates;
#if defined(TL_SOLVER_EXPONENTIAL)
    assume(dt > 0.0f && dt <= 16777216.0f);
    for (unsigned i = 0; i < 256u * TL_LAYERS; ++i) {
        assume(rates[i] >= 0x1p-63f && rates[i] < 0x1p65f);
    }
#endif
    if (tl_integrate(&engine, &model, x, f, z, dt, h, q) == TL_ENGINE_OK) {
        for (unsigned i = 0; i < TL_STATES; ++i) {
            prove(q[i] >= -127, "the next step's state in the range that the engine asks for");
        }
    }
    reached();
}
