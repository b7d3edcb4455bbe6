/* The semi-implicit step of up to eight elements (core/element.h), float and integer arithmetic as it is.
 *
 * Proven: for any dt and unit that tl_model_open lets through, tl_leak_over gives what contracts.h says; for any such
 * leak, any rates, drives and states, NaNs included, tl_solve_together stays inside its arrays and overflows nothing. */
#include "contracts.h"
#include "core/element.h"
#include "proof.h"

void proof_leak(void) {
    float dt, unit;
    assume(LEAK_NEEDS(dt, unit));
    const tl_leak leak = tl_leak_over(dt, unit);
    prove(LEAK_GIVES(leak), "a leak in its range");
    reached();
}

void proof_divisor(void) {
    tl_leak leak;
    int16_t entry;
    assume(LEAK_GIVES(leak));
    const int32_t divisor = leak.least + (int32_t)(((int64_t)leak.time * entry) >> 16);
    prove(divisor >= TL_DIVISOR_ONE - 2, "1 + dt r is not below 1 by more than the rounding");
    reached();
}

void proof_together(void) {
    float h[TL_SOLVED_TOGETHER], dt;
    int8_t f[TL_SOLVED_TOGETHER];
    int16_t entry[TL_SOLVED_TOGETHER];
    tl_leak leak;
    unsigned count;
    assume(count >= 1u && count <= TL_SOLVED_TOGETHER && LEAK_GIVES(leak));
    tl_solve_together(h, f, entry, count, dt, leak);
    reached();
}
