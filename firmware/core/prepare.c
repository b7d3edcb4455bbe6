#include "core/prepare.h"

#include "core/element.h"

#define LIMIT TL_STATE_LIMIT

static inline int32_t prepare_one(int32_t code, int32_t multiplier) {
    const int32_t sum = code * multiplier + 32768;
#if defined(__ARM_FEATURE_DSP)
    int32_t value;
    __asm__("ssat %0, #8, %1, asr #16" : "=r"(value) : "r"(sum));
#else
    int32_t value = sum >> 16;
    value = value > LIMIT ? LIMIT : value;
#endif
    return value < -LIMIT ? -LIMIT : value;
}

void tl_prepare_codes(const int16_t code[TL_INPUTS], const int32_t multiplier[TL_INPUTS], int8_t x[TL_INPUTS]) {
#pragma GCC unroll 2
    for (unsigned c = 0; c < TL_INPUTS; ++c) {
        x[c] = (int8_t)prepare_one(code[c], multiplier[c]);
    }
}

#if defined(__ARM_FEATURE_DSP) && defined(__ARM_FP)
/* Four elements: VCVTR rounds half to even and saturates to int32, SSAT to int8; the two operations on bytes then make
 * -127 of -128. */
static inline void quantize_four(const float h[4], float inv_scale, int8_t q[4]) {
    uint32_t a, b, c, d;
    __asm__ volatile("vldmia %[h], {s8-s11}\n\t"
                     "vmul.f32 s8, s8, %[scale]\n\t vmul.f32 s9, s9, %[scale]\n\t"
                     "vmul.f32 s10, s10, %[scale]\n\t vmul.f32 s11, s11, %[scale]\n\t"
                     "vcvtr.s32.f32 s8, s8\n\t vcvtr.s32.f32 s9, s9\n\t"
                     "vcvtr.s32.f32 s10, s10\n\t vcvtr.s32.f32 s11, s11\n\t"
                     "vmov %[a], s8\n\t vmov %[b], s9\n\t vmov %[c], s10\n\t vmov %[d], s11\n\t"
                     "ssat %[a], #8, %[a]\n\t ssat %[b], #8, %[b]\n\t"
                     "ssat %[c], #8, %[c]\n\t ssat %[d], #8, %[d]\n\t"
                     "bfi %[a], %[b], #8, #8\n\t bfi %[a], %[c], #16, #8\n\t bfi %[a], %[d], #24, #8\n\t"
                     "qsub8 %[a], %[a], %[ones]\n\t"
                     "sadd8 %[a], %[a], %[ones]\n\t"
                     "str %[a], [%[q]]"
                     : [a] "=&r"(a), [b] "=&r"(b), [c] "=&r"(c), [d] "=&r"(d)
                     : [h] "r"(h), [q] "r"(q), [scale] "t"(inv_scale), [ones] "r"(0x01010101u)
                     : "s8", "s9", "s10", "s11", "cc", "memory");
}
#else
static inline void quantize_four(const float h[4], float inv_scale, int8_t q[4]) {
    for (unsigned i = 0; i < 4u; ++i) {
        q[i] = tl_quantize_element(h[i], inv_scale);
    }
}
#endif

void tl_prepare_state(const float h[TL_STATES], float inv_scale, int8_t q[TL_STATES]) {
    const unsigned whole = TL_STATES / 4u * 4u;
    for (unsigned i = 0; i < whole; i += 4u) {
        quantize_four(h + i, inv_scale, q + i);
    }
    for (unsigned i = whole; i < TL_STATES; ++i) {
        q[i] = tl_quantize_element(h[i], inv_scale);
    }
}
