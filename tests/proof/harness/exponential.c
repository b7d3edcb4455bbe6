/* The exponential of the solver of that name (core/integrate_exponential.c).
 *
 * Proven: for every time step and rate of a model that was opened, dt * r is what contracts.h says, and for every such
 * number one_minus_exp overflows nothing.
 * Assumed: dt and rates within the ranges that tl_model_open admits (proof_open in model.c). */
#include "contracts.h"
#include "core/integrate_exponential.c"
#include "proof.h"

void proof_exponential(void) {
    float t;
    assume(EXPONENTIAL_NEEDS(t));
    (void)one_minus_exp(t);
    reached();
}
