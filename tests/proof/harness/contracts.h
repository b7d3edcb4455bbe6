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

/* tl_leak_of, core/element.h: what tl_model_open lets through at the longest dt (docs/SPEC.md, 2.5), and what
 * tl_solve_together makes a divisor of without overflow. That a shorter dt gives no larger product is a property of
 * float multiplication, which rounds monotonically (IEEE 754, 4.3); no proof here repeats it. */
#define LEAK_NEEDS(most) ((most) >= 0.0f && (most) <= 510.0f)
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

/* tl_multiply_add, engine/kernels/lanes.h: how far the sum moves, modulo 2^32, by the width of the numbers in the lanes
 * of both words: bytes, bytes and halves, or halves, of which nothing is said. */
#define MOVES_BYTES ((int64_t)1 << 15)
#define MOVES_MIXED ((int64_t)1 << 23)
#define MOVES_HALVES ((int64_t)1 << 32)

#endif
