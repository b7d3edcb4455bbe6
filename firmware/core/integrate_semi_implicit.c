#include "core/integrate.h"
#include "core/solver.h"

#if defined(TL_SOLVER_SEMI_IMPLICIT)

tl_engine_status tl_integrate(tl_engine *engine, const tl_model *model, const int8_t x[TL_INPUTS], int8_t f[TL_STATES],
                              int8_t z[TL_STATES], float dt, float h[TL_STATES], int8_t q[TL_STATES]) {
    (void)engine;
    (void)x;
    tl_solver_step_to_int8(h, f, z, model->rate_table, model->rate_unit, dt, model->inv_scale, q);
    return TL_ENGINE_OK;
}

#endif
