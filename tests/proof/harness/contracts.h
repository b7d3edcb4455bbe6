/* What the arithmetic promises. instead.c has stand-ins that promise the same and compute nothing, scalar.c and
 * exponential.c prove of the real functions, one by one, what is said here: for all arguments that NEEDS admits the
 * function overflows nothing, shifts by no wrong number, and gives a value that GIVES admits.
 *
 * No value of this arithmetic is ever an address before it was clamped. So where a proof is about addresses, and about
 * the sums and shifts around the arithmetic, a stand-in may give whatever the real function may give and more
 * (cbmc_tool.py calls it in the real one's place), and proves NEEDS of every caller. */
#ifndef TL_PROOF_CONTRACTS_H
#define TL_PROOF_CONTRACTS_H

#include <stdint.h>

/* tl_leak_over, core/element.h: what tl_model_open lets through (docs/SPEC.md, 2.5), and what tl_solve_together makes a
 * divisor of without overflow. */
#define LEAK_NEEDS(dt, unit) ((dt) >= 0.0f && (unit) >= 0x1p-63f && (unit) <= 1.0f && (dt) * ((unit) * 65536.0f) <= 510.0f)
#define LEAK_GIVES(leak)                                                                                               \
    ((leak).time >= 0 && (leak).time <= 510 * TL_DIVISOR_ONE &&                                                        \
     (leak).least == TL_DIVISOR_ONE + (int32_t)(((int64_t)(leak).time * TL_RATE_ZERO) >> 16))

/* tl_quantize_element, core/element.h: NaNs and infinities included. */
#define QUANTIZED_GIVES(q) ((q) >= -127)

/* one_minus_exp, core/integrate_exponential.c. */
#define EXPONENTIAL_NEEDS(t) ((t) >= 0.0f)

/* tl_requantize, engine/compiled/requantize.h. */
#define REQUANTIZE_NEEDS(right) ((right) >= 1u && (right) <= 20u)
#define REQUANTIZE_GIVES(q) ((q) >= -128 && (q) <= 127)

/* tl_doubling_high_product, engine/kernels/fixed_point.h. */
#define HIGH_PRODUCT_NEEDS(a, b) ((a) != INT32_MIN || (b) != INT32_MIN)

/* tl_one_over_one_plus, engine/kernels/softmax.h: tests/proof/reciprocal.c goes through all its arguments. */
#define RECIPROCAL_NEEDS(a) ((a) >= 0)
#define RECIPROCAL_GIVES(x) ((x) >= 0)

/* tl_multiply_add, engine/kernels/lanes.h: how far the sum moves, modulo 2^32, by the lanes' width. */
#define IN_BYTE(x) ((x) >= -128 && (x) <= 127)
static inline int64_t multiply_add_moves(uint32_t a, uint32_t b) {
    const int32_t a0 = (int16_t)(uint16_t)a, a1 = (int16_t)(uint16_t)(a >> 16);
    const int32_t b0 = (int16_t)(uint16_t)b, b1 = (int16_t)(uint16_t)(b >> 16);
    const int bytes = (IN_BYTE(a0) && IN_BYTE(a1)) + (IN_BYTE(b0) && IN_BYTE(b1));
    return (int64_t)1 << (bytes == 2 ? 15 : bytes == 1 ? 23 : 32);
}

#endif
