/* int8 values into the form in which tl_dense reads them. */
#ifndef TL_COMPILED_GATHER_H
#define TL_COMPILED_GATHER_H

#include <stdint.h>
#include <string.h>

#include "simd.h"

#if defined(__ARM_FEATURE_DSP)
#define TL_GATHER_FOUR(word)                                                                                           \
    "sxtb16 %[even], " word "\n\t"                                                                                     \
    "sxtb16 %[odd], " word ", ror #8\n\t"                                                                              \
    "smlad %[sum], %[even], %[odd], %[sum]\n\t"                                                                        \
    "str %[even], [%[to]], #4\n\t"                                                                                     \
    "str %[odd], [%[to]], #4\n\t"

/* Sixteen values a turn. The loads stand together because the core pipelines them. */
TL_ALWAYS_INLINE uint32_t tl_gather_sixteens(const int8_t *from, unsigned turns, tl_quad *to) {
    uint32_t sum = 0, a, b, c, d, even, odd;
    __asm__ volatile("1:\n\t"
                     "ldr %[a], [%[from]], #4\n\t"
                     "ldr %[b], [%[from]], #4\n\t"
                     "ldr %[c], [%[from]], #4\n\t"
                     "ldr %[d], [%[from]], #4\n\t" TL_GATHER_FOUR("%[a]") TL_GATHER_FOUR("%[b]") TL_GATHER_FOUR("%[c]")
                         TL_GATHER_FOUR("%[d]") "subs %[turns], %[turns], #1\n\t"
                                                "bne 1b"
                     : [a] "=&r"(a), [b] "=&r"(b), [c] "=&r"(c), [d] "=&r"(d), [even] "=&r"(even), [odd] "=&r"(odd),
                       [to] "+&r"(to), [sum] "+&r"(sum), [from] "+&r"(from), [turns] "+&r"(turns)
                     :
                     : "cc", "memory");
    return sum;
}
#else
TL_ALWAYS_INLINE uint32_t tl_gather_sixteens(const int8_t *from, unsigned turns, tl_quad *to) {
    uint32_t sum = 0;
    for (const tl_quad *end = to + 4u * turns; to < end; ++to, from += 4) {
        uint32_t word;
        memcpy(&word, from, sizeof word);
        *to = tl_quad_from(word);
        sum = tl_quad_product(*to, sum);
    }
    return sum;
}
#endif

/* Up to four values. Returns the correction: what their products with each other add to each lower row's sum. */
TL_ALWAYS_INLINE uint32_t tl_gather_quad(const int8_t *values, unsigned count, tl_quad *quad) {
    uint32_t word = 0;
    memcpy(&word, values, count < 4u ? count : 4u);
    *quad = tl_quad_from(word);
    return tl_quad_product(*quad, 0);
}

/* Any number of values, padded with zeros to whole quads. Returns the correction. */
static __attribute__((noinline)) uint32_t tl_gather(const int8_t *values, unsigned count, tl_quad *quads) {
    const unsigned turns = count / 16u;
    uint32_t correction = turns ? tl_gather_sixteens(values, turns, quads) : 0u;
    for (unsigned k = 16u * turns; k < count; k += 4u) {
        correction += tl_gather_quad(values + k, count - k, quads + k / 4u);
    }
    return correction;
}

#endif
