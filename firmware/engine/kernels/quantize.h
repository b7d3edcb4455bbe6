/* QUANTIZE between integers: to another scale, zero point or type. The parameters are those of
 * toolchain/int8/ops/quantize.py. The output may be the input where both have one type. */
#ifndef TL_KERNELS_QUANTIZE_H
#define TL_KERNELS_QUANTIZE_H

#include <stdint.h>

#include "engine/kernels/fixed_point.h"

typedef struct {
    int32_t input_offset;
    int32_t multiplier;
    int32_t shift;
    int32_t output_offset;
    int32_t minimum;
    int32_t maximum;
} tl_quantize_parameters;

static inline int32_t tl_quantize_element(const tl_quantize_parameters *p, int32_t x) {
    const int32_t scaled = tl_scale(tl_wrapping_add(x, p->input_offset), p->multiplier, p->shift);
    return tl_clamp(tl_wrapping_add(scaled, p->output_offset), p->minimum, p->maximum);
}

/* One function per pair of types that TFLM takes. */
#define TL_QUANTIZE(from, to)                                                                                          \
    static inline void tl_quantize_##from##_##to(const tl_quantize_parameters *p, const from##_t *input,               \
                                                 to##_t *output, uint32_t count) {                                     \
        for (uint32_t i = 0; i < count; ++i) {                                                                         \
            output[i] = (to##_t)tl_quantize_element(p, input[i]);                                                      \
        }                                                                                                              \
    }

TL_QUANTIZE(int8, int8)
TL_QUANTIZE(int8, uint8)
TL_QUANTIZE(int8, int16)
TL_QUANTIZE(int8, int32)
TL_QUANTIZE(uint8, int8)
TL_QUANTIZE(int16, int8)
TL_QUANTIZE(int16, int16)
TL_QUANTIZE(int16, int32)
TL_QUANTIZE(int32, int8)
TL_QUANTIZE(int32, int16)

#endif
