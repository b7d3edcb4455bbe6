#include "core/prepare.h"

#include <string.h>

#define LIMIT 127

/* 1.5 * 2^23. Between 2^23 and 2^24 one step of a float is exactly 1, so adding this rounds a small number to the
 * nearest integer, half to even, without libm; the integer is then the difference of the two bit patterns. The bits of
 * a sum, read as an int32, rise with the sum whatever its size or sign, so clamping them clamps the number: as
 * integers, because float comparisons cost a branch each. */
#define ROUNDER 12582912.0f
#define ROUNDER_BITS 0x4B400000

void tl_prepare_codes(const int16_t code[TL_INPUTS], const int32_t multiplier[TL_INPUTS], int8_t x[TL_INPUTS]) {
    for (unsigned c = 0; c < TL_INPUTS; ++c) {
        int32_t value = (code[c] * multiplier[c] + 32768) >> 16;
        value = value > LIMIT ? LIMIT : value;
        value = value < -LIMIT ? -LIMIT : value;
        x[c] = (int8_t)value;
    }
}

void tl_prepare_state(const float h[TL_STATES], float inv_scale, int8_t q[TL_STATES]) {
#pragma GCC unroll 8
    for (unsigned i = 0; i < TL_STATES; ++i) {
        const float sum = h[i] * inv_scale + ROUNDER;
        int32_t bits;
        memcpy(&bits, &sum, sizeof bits);
        bits = bits > ROUNDER_BITS + LIMIT ? ROUNDER_BITS + LIMIT : bits;
        bits = bits < ROUNDER_BITS - LIMIT ? ROUNDER_BITS - LIMIT : bits;
        q[i] = (int8_t)(bits - ROUNDER_BITS);
    }
}
