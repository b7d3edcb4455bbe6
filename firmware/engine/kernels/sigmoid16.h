/* TANH and LOGISTIC on int16: TFLM's table of the logistic function, interpolated. Parameters and table are those of
 * toolchain/int8/ops/sigmoid16.py. The output may be the input. */
#ifndef TL_KERNELS_SIGMOID16_H
#define TL_KERNELS_SIGMOID16_H

#include <stdint.h>

/* `shift` is 0..31, and 0 where `multiplier` is above 32767. */
typedef struct {
    int32_t multiplier;
    int32_t shift;
} tl_sigmoid16_parameters;

/* The input in steps of 1/(3 * 4096). */
static inline int32_t tl_sigmoid16_scaled(const tl_sigmoid16_parameters *p, int32_t input) {
    const uint32_t half = p->shift > 0 ? 1u << ((uint32_t)p->shift - 1u) : 0u;
    return (int32_t)((uint32_t)input * (uint32_t)p->multiplier + half) >> p->shift;
}

static inline uint32_t tl_magnitude(int32_t x) {
    return x < 0 ? 0u - (uint32_t)x : (uint32_t)x;
}

/* Entry of the table at `magnitude` in units of 2^-bits of its own, `bits` being 8 or 9; past the last, `end`. */
static inline int32_t tl_sigmoid16_interpolated(const uint16_t table[256], uint32_t magnitude, uint32_t bits,
                                                int32_t end) {
    const uint32_t index = magnitude >> bits;
    if (index >= 255u) {
        return end;
    }
    const int32_t left = table[index];
    const int32_t fraction = (int32_t)(magnitude & ((1u << bits) - 1u));
    return left * (int32_t)(1u << bits) + fraction * (table[index + 1u] - left);
}

static inline void tl_tanh_int16(const tl_sigmoid16_parameters *p, const uint16_t table[256], const int16_t *input,
                                 int16_t *output, uint32_t count) {
    for (uint32_t i = 0; i < count; ++i) {
        const int32_t x = tl_sigmoid16_scaled(p, input[i]);
        const int32_t y = tl_sigmoid16_interpolated(table, tl_magnitude(x), 8, 0xFFFF << 8) - (1 << 23);
        output[i] = (int16_t)(((x < 0 ? -y - 1 : y) + (1 << 7)) >> 8);
    }
}

static inline void tl_logistic_int16(const tl_sigmoid16_parameters *p, const uint16_t table[256], const int16_t *input,
                                     int16_t *output, uint32_t count) {
    for (uint32_t i = 0; i < count; ++i) {
        const int32_t x = tl_sigmoid16_scaled(p, input[i]);
        const int32_t y = tl_sigmoid16_interpolated(table, tl_magnitude(x), 9, 0x7FFF << 10);
        output[i] = (int16_t)(((x < 0 ? (1 << 25) - y - 1 : y) + (1 << 9)) >> 10);
    }
}

#endif
