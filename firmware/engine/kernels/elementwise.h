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

static inline int32_t tl_sum_term(int32_t centred, int32_t left_shift, int32_t multiplier, int32_t shift) {
    return tl_scale(tl_wrapping_shift_left(centred, (uint32_t)left_shift), multiplier, shift);
}

static inline int32_t tl_sum_finish(const tl_sum_parameters *p, int32_t total) {
    const int32_t scaled = tl_scale(total, p->output_multiplier, p->output_shift);
    return tl_clamp(tl_wrapping_add(scaled, p->output_offset), p->activation_min, p->activation_max);
}

static inline int32_t tl_add_element(const tl_sum_parameters *p, int32_t a, int32_t b) {
    const int32_t first = tl_sum_term(a + p->input1_offset, p->left_shift, p->input1_multiplier, p->input1_shift);
    const int32_t second = tl_sum_term(b + p->input2_offset, p->left_shift, p->input2_multiplier, p->input2_shift);
    return tl_sum_finish(p, tl_wrapping_add(first, second));
}

static inline int32_t tl_subtract_element(const tl_sum_parameters *p, int32_t a, int32_t b) {
    const int32_t first = tl_sum_term(a + p->input1_offset, p->left_shift, p->input1_multiplier, p->input1_shift);
    const int32_t second = tl_sum_term(b + p->input2_offset, p->left_shift, p->input2_multiplier, p->input2_shift);
    return tl_sum_finish(p, tl_wrapping_subtract(first, second));
}

/* No operand of int16 has an offset, so the product is at most 2^30. */
static inline int32_t tl_multiply_element(const tl_multiply_parameters *p, int32_t a, int32_t b) {
    const int32_t product = (a + p->input1_offset) * (b + p->input2_offset);
    const int32_t scaled = tl_scale(product, p->output_multiplier, p->output_shift);
    return tl_clamp(tl_wrapping_add(scaled, p->output_offset), p->activation_min, p->activation_max);
}

/* One function per operator and type; C has no other way to say it once. */
#define TL_ELEMENTWISE(function, element, parameters, type)                                                            \
    static inline void function(const parameters *p, const tl_loops *loops, const type *a, const type *b,              \
                                type *output) {                                                                        \
        const type *a0 = a;                                                                                            \
        const type *b0 = b;                                                                                            \
        for (uint32_t i = 0; i < loops->extent[0]; ++i) {                                                              \
            const type *a1 = a0;                                                                                       \
            const type *b1 = b0;                                                                                       \
            for (uint32_t j = 0; j < loops->extent[1]; ++j) {                                                          \
                const type *a2 = a1;                                                                                   \
                const type *b2 = b1;                                                                                   \
                for (uint32_t k = 0; k < loops->extent[2]; ++k) {                                                      \
                    for (uint32_t l = 0; l < loops->extent[3]; ++l) {                                                  \
                        *output++ = (type)element(p, a2[l * loops->stride1[3]], b2[l * loops->stride2[3]]);            \
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

TL_ELEMENTWISE(tl_add_int8, tl_add_element, tl_sum_parameters, int8_t)
TL_ELEMENTWISE(tl_add_int16, tl_add_element, tl_sum_parameters, int16_t)
TL_ELEMENTWISE(tl_subtract_int8, tl_subtract_element, tl_sum_parameters, int8_t)
TL_ELEMENTWISE(tl_subtract_int16, tl_subtract_element, tl_sum_parameters, int16_t)
TL_ELEMENTWISE(tl_multiply_int8, tl_multiply_element, tl_multiply_parameters, int8_t)
TL_ELEMENTWISE(tl_multiply_int16, tl_multiply_element, tl_multiply_parameters, int16_t)

#endif
