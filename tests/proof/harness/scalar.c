/* The integer arithmetic of the compiled engine (engine/compiled) and of the kernels that the compiler writes into its
 * C (engine/kernels), one function at a time.
 *
 * Proven: what contracts.h says of each; no overflow, no undefined shift, for all arguments that the lines with
 * `assume` admit. The generator gives no others: multipliers and shifts as TFLM makes them, sums that fit their kernel
 * (toolchain/compiler/packing.py).
 * Left to tests/proof/test_proof_reciprocal.py: tl_one_over_one_plus. */
#include "contracts.h"
#include "engine/kernels/dense_wide.h"
#include "engine/kernels/softmax.h"
#include "proof.h"

void proof_scale(void) {
    int32_t x, multiplier, shift;
    assume(multiplier >= 0 && shift >= -31 && shift <= 30);
    (void)tl_scale(x, multiplier, shift);
    reached();
}

void proof_scale_down(void) {
    int32_t x, multiplier, shift;
    assume(multiplier >= 0 && shift >= -31 && shift <= 0);
    const tl_down down = tl_down_from(multiplier, shift);
    (void)tl_scale_down(x, &down);
    (void)tl_scale_down_twice(x, &down);
    reached();
}

void proof_scale_short(void) {
    int32_t sum, multiplier, right;
    assume(sum > -(1 << 30) && sum < (1 << 30) && multiplier >= 0 && right >= 1 && right <= 31);
    (void)tl_scale_short(sum, multiplier, right);
    reached();
}

void proof_scale_reduced(void) {
    int32_t x, multiplier;
    uint32_t right;
    assume(multiplier >= 0 && multiplier <= 0x7FFF && right >= 1u && right <= 31u);
    (void)tl_scale_reduced(x, multiplier, right);
    reached();
}

void proof_scale_wide(void) {
    int64_t x;
    int32_t multiplier, shift;
    const int64_t limit = (int64_t)1 << 47;
    assume(x > -limit && x < limit && multiplier >= 0 && shift >= -31 && shift <= 14);
    (void)tl_scale_wide(x, multiplier, shift);
    reached();
}

void proof_high_product(void) {
    int32_t a, b;
    assume(HIGH_PRODUCT_NEEDS(a, b));
    (void)tl_doubling_high_product(a, b);
    (void)tl_high_product(a, b);
    reached();
}

static void prove_moves(uint32_t a, uint32_t b, int64_t most) {
    int32_t sum;
    const int32_t move = (int32_t)((uint32_t)tl_multiply_add(a, b, sum) - (uint32_t)sum);
    prove(move >= -most && move <= most, "how far a sum moves");
    reached();
}

void proof_bytes(void) {
    int8_t a[2], b[2];
    prove_moves(tl_lanes(a[0], a[1]), tl_lanes(b[0], b[1]), MOVES_BYTES);
}

void proof_halves_and_bytes(void) {
    int16_t a[2];
    int8_t b[2];
    prove_moves(tl_lanes(a[0], a[1]), tl_lanes(b[0], b[1]), MOVES_MIXED);
}

/* Both lanes at once end in no verdict: each alone, from a sum of 0. That they are added is one line of lanes.h. */
void proof_bytes_and_halves(void) {
    int8_t a[2];
    int16_t b[2];
    const int32_t low = tl_multiply_add(tl_lanes(a[0], 0), tl_lanes(b[0], 0), 0);
    const int32_t high = tl_multiply_add(tl_lanes(0, a[1]), tl_lanes(0, b[1]), 0);
    prove(low >= -MOVES_MIXED / 2 && low <= MOVES_MIXED / 2, "the lower lanes' share");
    prove(high >= -MOVES_MIXED / 2 && high <= MOVES_MIXED / 2, "the upper lanes' share");
    reached();
}
