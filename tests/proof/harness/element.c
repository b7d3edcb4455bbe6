/* The semi-implicit step of up to eight elements (core/element.h), float and integer arithmetic as it is.
 *
 * Proven: tl_leak_of gives what contracts.h says; for any such leak, any entries of the table, drives and states, NaNs
 * included, tl_solve_together stays inside its arrays and overflows nothing. */
#include "contracts.h"
#include "core/element.h"
#include "proof.h"

void proof_leak(void) {
    float most;
    assume(LEAK_NEEDS(most));
    const tl_leak leak = tl_leak_of(most);
    prove(LEAK_GIVES(leak), "a leak in its range");
    reached();
}

void proof_together(void) {
    float h[TL_SOLVED_TOGETHER], dt;
    int8_t f[TL_SOLVED_TOGETHER], z[TL_SOLVED_TOGETHER];
    int16_t table[256];
    tl_leak leak;
    unsigned count;
    assume(count >= 1u && count <= TL_SOLVED_TOGETHER && LEAK_GIVES(leak));
    tl_solve_together(h, f, z, table + 128, count, dt, leak);
    reached();
}
