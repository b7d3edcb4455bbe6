/* The semi-implicit step of the ODE in float32 (docs/SPEC.md, 2.5), and the state as the next step reads it. */
#ifndef TL_CORE_SOLVER_H
#define TL_CORE_SOLVER_H

#include <stdint.h>

#include "topology.h"

/* Advances h by dt (model time) in place. f and z are the int8 outputs of the right-hand side, layer after layer;
 * rate_table and rate_unit are those of tl_model, and dt times 2^16 units is at most 510. Every operation rounds to
 * float32 by itself, in the order of docs/SPEC.md. */
void tl_solver_step(float h[TL_STATES], const int8_t f[TL_STATES], const int8_t z[TL_STATES], const int16_t *rate_table,
                    float rate_unit, float dt);

/* The same, and what tl_prepare_state (core/prepare.h) would make of the new h, while it is in registers. */
void tl_solver_step_to_int8(float h[TL_STATES], const int8_t f[TL_STATES], const int8_t z[TL_STATES],
                            const int16_t *rate_table, float rate_unit, float dt, float inv_scale, int8_t q[TL_STATES]);

#endif
