/* The semi-implicit step of the ODE in float32 (docs/SPEC.md, 2.5), and the state as the next step reads it. */
#ifndef TL_CORE_SOLVER_H
#define TL_CORE_SOLVER_H

#include <stdint.h>

#include "topology.h"

/* Advances h by dt (model time) in place. f and z are the int8 outputs of the right-hand side, layer after layer;
 * rate_table[layer][z + 128] is 1/tau. Every operation rounds to float32 by itself, in the order of docs/SPEC.md. */
void tl_solver_step(float h[TL_STATES], const int8_t f[TL_STATES], const int8_t z[TL_STATES], const float *rate_table,
                    float dt);

/* The same, and what tl_prepare_state (core/prepare.h) would make of the new h, while it is in registers. */
void tl_solver_step_to_int8(float h[TL_STATES], const int8_t f[TL_STATES], const int8_t z[TL_STATES],
                            const float *rate_table, float dt, float inv_scale, int8_t q[TL_STATES]);

#endif
