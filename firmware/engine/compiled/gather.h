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
    "sxtab16 %[even], %[even], " word "\n\t"                                                                           \
    "sxtab16 %[odd], %[odd], " word ", ror #8\n\t"                                                                     \
    "smlad %[sum], %[even], %[odd], %[sum]\n\t"                                                                        \
    "str %[even], [%[to]], #4\n\t"                                                                                     \
    "str %[odd], [%[to]], #4\n\t"

/* Four quads. The loads stand together because the core pipelines them. */
TL_ALWAYS_INLINE uint32_t tl_gather_sixteen(const int8_t *from, tl_quad *to, uint32_t sum) {
    uint32_t a, b, c, d, even, odd;
    __asm__ volatile("ldr %[a], [%[from]]\n\t"
                     "ldr %[b], [%[from], #4]\n\t"
                     "ldr %[c], [%[from], #8]\n\t"
                     "ldr %[d], [%[from], #12]\n\t" TL_GATHER_FOUR("%[a]") TL_GATHER_FOUR("%[b]") TL_GATHER_FOUR("%[c]")
                         TL_GATHER_FOUR("%[d]")
                     : [a] "=&r"(a), [b] "=&r"(b), [c] "=&r"(c), [d] "=&r"(d), [even] "=&r"(even), [odd] "=&r"(odd),
                       [to] "+&r"(to), [sum] "+&r"(sum)
                     : [from] "r"(from)
                     : "memory");
    return sum;
}
#else
TL_ALWAYS_INLINE uint32_t tl_gather_sixteen(const int8_t *from, tl_quad *to, uint32_t sum) {
    for (unsigned k = 0; k < 4u; ++k) {
        uint32_t word;
        memcpy(&word, from + 4u * k, sizeof word);
        to[k] = tl_quad_from(word);
        sum = tl_quad_product(to[k], sum);
    }
    return sum;
}
#endif

/* Pads with zeros to whole quads. Returns the correction: what the values' products with each other add to each lower
 * row's sum. */
static __attribute__((noinline)) uint32_t tl_gather(const int8_t *values, unsigned count, tl_quad *quads) {
    uint32_t correction = 0;
    for (; count >= 16u; count -= 16u, values += 16, quads += 4) {
        correction = tl_gather_sixteen(values, quads, correction);
    }
    for (; count > 0u; ++quads) {
        const unsigned taken = count < 4u ? count : 4u;
        uint32_t word = 0;
        memcpy(&word, values, taken);
        *quads = tl_quad_from(word);
        correction = tl_quad_product(*quads, correction);
        values += taken;
        count -= taken;
    }
    return correction;
}

#endif
