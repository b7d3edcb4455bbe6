/* The stand-ins of contracts.h. */
#include "contracts.h"
#include "proof.h"

int8_t any_quantized(float h, float inv_scale) {
    int8_t any;
    (void)h, (void)inv_scale;
    assume(QUANTIZED_GIVES(any));
    return any;
}

float any_exponential(float t) {
    float any;
    prove(EXPONENTIAL_NEEDS(t), "what one_minus_exp needs");
    return any;
}

/* tl_dual_multiply, engine/compiled/simd.h. */
uint32_t any_sum(uint32_t a, uint32_t b, uint32_t sum) {
    uint32_t any;
    (void)a, (void)b, (void)sum;
    return any;
}

/* tl_add_bytes, engine/compiled/simd.h. */
uint32_t any_lanes(uint32_t lanes, uint32_t word) {
    uint32_t any;
    (void)lanes, (void)word;
    return any;
}

int32_t any_requantized(int32_t doubled, int32_t multiplier, unsigned right, int32_t offset) {
    int32_t any;
    (void)doubled, (void)multiplier, (void)offset;
    prove(REQUANTIZE_NEEDS(right), "what tl_requantize needs");
    assume(REQUANTIZE_GIVES(any));
    return any;
}

int32_t any_high_product(int32_t a, int32_t b) {
    int32_t any;
    prove(HIGH_PRODUCT_NEEDS(a, b), "what tl_doubling_high_product needs");
    return any;
}

int32_t any_reciprocal(int32_t a) {
    int32_t any;
    prove(RECIPROCAL_NEEDS(a), "what tl_one_over_one_plus needs");
    assume(RECIPROCAL_GIVES(any));
    return any;
}

static bool in_bytes(uint32_t lanes) {
    const int32_t low = (int16_t)(uint16_t)lanes, high = (int16_t)(uint16_t)(lanes >> 16);
    return low >= -128 && low <= 127 && high >= -128 && high <= 127;
}

int32_t any_multiply_add(uint32_t a, uint32_t b, int32_t sum) {
    int32_t move;
    const bool first = in_bytes(a), second = in_bytes(b);
    const int64_t most = first && second ? MOVES_BYTES : first || second ? MOVES_MIXED : MOVES_HALVES;
    assume(move >= -most && move <= most);
    return (int32_t)((uint32_t)sum + (uint32_t)move);
}
