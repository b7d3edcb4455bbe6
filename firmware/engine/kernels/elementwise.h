/* ADD, SUB and MUL on int8 and int16, with a fused activation and with operands of unlike shapes. The parameters are
 * those of toolchain/int8/ops/add.py, multiply.py and broadcast.py, field by field.
 *
 * The output may be one of the operands if that operand is not repeated. */
#ifndef TL_KERNELS_ELEMENTWISE_H
#define TL_KERNELS_ELEMENTWISE_H

#include <stdint.h>

#include "engine/kernels/fixed_point.h"

typedef struct {
    int32_t left_shift;
    int32_t input1_offset;
    int32_t input1_multiplier;
    int32_t input1_shift;
    int32_t input2_offset;
    int32_t input2_multiplier;
    int32_t input2_shift;
    int32_t output_offset;
    int32_t output_multiplier;
    int32_t output_shift;
    int32_t activation_min;
    int32_t activation_max;
} tl_sum_parameters;

typedef struct {
    int32_t input1_offset;
    int32_t input2_offset;
    int32_t output_offset;
    int32_t output_multiplier;
    int32_t output_shift;
    int32_t activation_min;
    int32_t activation_max;
} tl_multiply_parameters;

/* Four nested loops, outermost first: rounds, and elements that each operand moves on per round. */
typedef struct {
    uint32_t extent[4];
    uint32_t stride1[4];
    uint32_t stride2[4];
} tl_loops;

/* tl_sum_parameters made ready for the loop. */
typedef struct {
    tl_down input1;
    tl_down input2;
    tl_down output;
    int32_t input1_offset;
    int32_t input2_offset;
    uint32_t left;
    int32_t output_offset;
    int32_t minimum;
    int32_t maximum;
} tl_sum;

static inline tl_sum tl_sum_from(const tl_sum_parameters *p) {
    tl_sum sum;
    sum.input1 = tl_down_from(p->input1_multiplier, p->input1_shift);
    sum.input2 = tl_down_from(p->input2_multiplier, p->input2_shift);
    sum.output = tl_down_from(p->output_multiplier, p->output_shift);
    sum.input1_offset = p->input1_offset;
    sum.input2_offset = p->input2_offset;
    sum.left = (uint32_t)p->left_shift;
    sum.output_offset = p->output_offset;
    sum.minimum = p->activation_min;
    sum.maximum = p->activation_max;
    return sum;
}

static inline int32_t tl_sum_output(const tl_sum *p, int32_t scaled) {
    return tl_clamp(tl_wrapping_add(scaled, p->output_offset), p->minimum, p->maximum);
}

/* int8: an operand has 9 bits with its offset and is shifted by 20, so twice that fits int32. Both factors are at most
 * a half, so twice the sum fits too. */
static inline int32_t tl_sum_term_int8(int32_t centred, const tl_sum *p, const tl_down *down) {
    return tl_scale_down_twice(tl_wrapping_shift_left(centred, p->left + 1u), down);
}

static inline int32_t tl_add_element_int8(const tl_sum *p, int32_t a, int32_t b) {
    const int32_t first = tl_sum_term_int8(a + p->input1_offset, p, &p->input1);
    const int32_t second = tl_sum_term_int8(b + p->input2_offset, p, &p->input2);
    return tl_sum_output(p, tl_scale_down_twice(2 * (first + second), &p->output));
}

static inline int32_t tl_subtract_element_int8(const tl_sum *p, int32_t a, int32_t b) {
    const int32_t first = tl_sum_term_int8(a + p->input1_offset, p, &p->input1);
    const int32_t second = tl_sum_term_int8(b + p->input2_offset, p, &p->input2);
    return tl_sum_output(p, tl_scale_down_twice(2 * (first - second), &p->output));
}

/* int16: an operand with its offset, shifted by 15, takes all of int32. */
static inline int32_t tl_sum_term_int16(int32_t centred, const tl_sum *p, const tl_down *down) {
    return tl_scale_down(tl_wrapping_shift_left(centred, p->left), down);
}

static inline int32_t tl_add_element_int16(const tl_sum *p, int32_t a, int32_t b) {
    const int32_t first = tl_sum_term_int16(a + p->input1_offset, p, &p->input1);
    const int32_t second = tl_sum_term_int16(b + p->input2_offset, p, &p->input2);
    return tl_sum_output(p, tl_scale_down(tl_wrapping_add(first, second), &p->output));
}

static inline int32_t tl_subtract_element_int16(const tl_sum *p, int32_t a, int32_t b) {
    const int32_t first = tl_sum_term_int16(a + p->input1_offset, p, &p->input1);
    const int32_t second = tl_sum_term_int16(b + p->input2_offset, p, &p->input2);
    return tl_sum_output(p, tl_scale_down(tl_wrapping_subtract(first, second), &p->output));
}

static inline tl_multiply_parameters tl_multiply_from(const tl_multiply_parameters *p) {
    return *p;
}

/* No operand of int16 has an offset, so the product is at most 2^30. */
static inline int32_t tl_multiply_element(const tl_multiply_parameters *p, int32_t a, int32_t b) {
    const int32_t product = (a + p->input1_offset) * (b + p->input2_offset);
    const int32_t scaled = tl_scale(product, p->output_multiplier, p->output_shift);
    return tl_clamp(tl_wrapping_add(scaled, p->output_offset), p->activation_min, p->activation_max);
}

/* One function per operator and type; C has no other way to say it once. */
#define TL_ELEMENTWISE(function, element, parameters, ready, make, type)                                               \
    static inline void function(const parameters *p, const tl_loops *loops, const type *a, const type *b,              \
                                type *output) {                                                                        \
        /* A copy: a store to the output might change what a pointer leads to, so it would be loaded each time. */     \
        const ready local = make(p);                                                                                   \
        const uint32_t count = loops->extent[3], step1 = loops->stride1[3], step2 = loops->stride2[3];                 \
        const type *a0 = a;                                                                                            \
        const type *b0 = b;                                                                                            \
        for (uint32_t i = 0; i < loops->extent[0]; ++i) {                                                              \
            const type *a1 = a0;                                                                                       \
            const type *b1 = b0;                                                                                       \
            for (uint32_t j = 0; j < loops->extent[1]; ++j) {                                                          \
                const type *a2 = a1;                                                                                   \
                const type *b2 = b1;                                                                                   \
                for (uint32_t k = 0; k < loops->extent[2]; ++k) {                                                      \
                    for (uint32_t l = 0; l < count; ++l) {                                                             \
                        *output++ = (type)element(&local, a2[l * step1], b2[l * step2]);                               \
                    }                                                                                                  \
                    a2 += loops->stride1[2];                                                                           \
                    b2 += loops->stride2[2];                                                                           \
                }                                                                                                      \
                a1 += loops->stride1[1];                                                                               \
                b1 += loops->stride2[1];                                                                               \
            }                                                                                                          \
            a0 += loops->stride1[0];                                                                                   \
            b0 += loops->stride2[0];                                                                                   \
        }                                                                                                              \
    }

TL_ELEMENTWISE(tl_add_int8, tl_add_element_int8, tl_sum_parameters, tl_sum, tl_sum_from, int8_t)
TL_ELEMENTWISE(tl_add_int16, tl_add_element_int16, tl_sum_parameters, tl_sum, tl_sum_from, int16_t)
TL_ELEMENTWISE(tl_subtract_int8, tl_subtract_element_int8, tl_sum_parameters, tl_sum, tl_sum_from, int8_t)
TL_ELEMENTWISE(tl_subtract_int16, tl_subtract_element_int16, tl_sum_parameters, tl_sum, tl_sum_from, int16_t)
TL_ELEMENTWISE(tl_multiply_int8, tl_multiply_element, tl_multiply_parameters, tl_multiply_parameters, tl_multiply_from,
               int8_t)
TL_ELEMENTWISE(tl_multiply_int16, tl_multiply_element, tl_multiply_parameters, tl_multiply_parameters, tl_multiply_from,
               int16_t)

#endif
