/* The integer arithmetic of the compiled engine (engine/compiled), one function at a time.
 *
 * Proven: what contracts.h says of each; no overflow, no undefined shift, for all arguments that the lines with
 * `assume` admit. tl_engine_init refuses a section with other records (engine.c). */
#include "contracts.h"
#include "proof.h"
#include "requantize.h"

void proof_requantize(void) {
    int32_t doubled, multiplier, offset;
    unsigned right;
    assume(REQUANTIZE_NEEDS(right));
    const int32_t q = tl_requantize(doubled, multiplier, right, offset);
    prove(REQUANTIZE_GIVES(q), "an int8");
    reached();
}

void proof_offset(void) {
    tl_requantization record;
    assume(record.shift >= TL_SHIFT_MIN && record.shift <= TL_SHIFT_MAX);
    assume(record.zero_point >= INT8_MIN && record.zero_point <= INT8_MAX);
    const int32_t offset = tl_requantize_offset(&record);
    prove(offset > -(1 << 28) && offset < (1 << 28), "what the comment on it says");
    reached();
}

void proof_products(void) {
    uint32_t a, b, sum;
    int8_t values[4];
    (void)tl_dual_multiply(a, b, sum);
    (void)tl_add_bytes(a, b);
    const tl_quad quad = tl_quad_from(a);
    (void)tl_quad_product(quad, sum);
    (void)tl_pair_from(values);
    reached();
}
