/* Stand-ins for the floats of the semi-implicit step (core/element.h), as contracts.h promises them. */
#include "contracts.h"
#include "core/element.h"
#include "proof.h"

tl_leak any_leak(float dt, float rate_unit) {
    tl_leak any;
    (void)dt, (void)rate_unit;
    assume(LEAK_GIVES(any));
    return any;
}

void any_together(float *h, const int8_t *f, const int8_t *z, const int16_t *rate, unsigned count, float dt,
                  tl_leak leak) {
    (void)dt;
    prove(count >= 1u && count <= TL_SOLVED_TOGETHER && LEAK_GIVES(leak), "what tl_solve_together needs");
    prove(__CPROVER_r_ok(f, count) && __CPROVER_r_ok(z, count), "drives and gates that are there");
    prove(__CPROVER_r_ok(rate - 128, 512u), "a rate for every gate");
    for (unsigned i = 0; i < count; ++i) {
        float any;
        h[i] = any;
    }
}
