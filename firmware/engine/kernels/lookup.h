/* Operators from int8 to int8 with one operand (TANH, LOGISTIC, QUANTIZE) as a table that toolchain/int8/ops/lookup.py
 * made, indexed by input + 128. The output may be the input. */
#ifndef TL_KERNELS_LOOKUP_H
#define TL_KERNELS_LOOKUP_H

#include <stdint.h>

static inline void tl_lookup_int8(const int8_t table[256], const int8_t *input, int8_t *output, uint32_t count) {
    for (uint32_t i = 0; i < count; ++i) {
        output[i] = table[input[i] + 128];
    }
}

#endif
