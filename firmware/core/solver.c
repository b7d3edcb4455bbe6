#include "core/solver.h"

#include "core/element.h"
#include "core/model.h"

typedef struct {
    float *h;
    const int8_t *f;
    const int8_t *z;
    int8_t *q;
} cursor;

typedef struct {
    float dt;
    float inv_scale;
    float one;
    tl_leak leak;
} factors;

#define TOGETHER TL_SOLVED_TOGETHER

/* Up to eight elements of one layer. */
static inline void step_some(cursor *at, unsigned count, const int16_t *rate, const factors *by) {
    tl_solve_together(at->h, at->f, at->z, rate, count, by->dt, by->leak);
    at->f += count;
    at->z += count;
    for (unsigned i = 0; i < count; ++i) {
        *at->q++ = tl_quantize_element(*at->h++, by->inv_scale);
    }
}

#if defined(__ARM_FEATURE_DSP) && defined(__ARM_FP)
/* h + p of four elements. */
#define DRIVE_FOUR(h0, h1, h2, h3)                                                                                     \
    "ldrsb %[a], [%[f_]], #1\n\t ldrsb %[b], [%[f_]], #1\n\t ldrsb %[c], [%[f_]], #1\n\t ldrsb %[d], [%[f_]], #1\n\t"  \
    "vmov s4, s5, %[a], %[b]\n\t vmov s6, s7, %[c], %[d]\n\t"                                                          \
    "vcvt.f32.s32 s4, s4, #7\n\t vcvt.f32.s32 s5, s5, #7\n\t"                                                          \
    "vcvt.f32.s32 s6, s6, #7\n\t vcvt.f32.s32 s7, s7, #7\n\t"                                                          \
    "vmul.f32 s4, %[dt], s4\n\t vmul.f32 s5, %[dt], s5\n\t vmul.f32 s6, %[dt], s6\n\t vmul.f32 s7, %[dt], s7\n\t"      \
    "vadd.f32 " h0 ", " h0 ", s4\n\t vadd.f32 " h1 ", " h1 ", s5\n\t"                                                  \
    "vadd.f32 " h2 ", " h2 ", s6\n\t vadd.f32 " h3 ", " h3 ", s7\n\t"

#define DIVISOR_FOUR(d0, d1, d2, d3)                                                                                   \
    "ldrsb %[a], [%[z_]], #1\n\t ldrsb %[b], [%[z_]], #1\n\t ldrsb %[c], [%[z_]], #1\n\t ldrsb %[d], [%[z_]], #1\n\t"  \
    "ldrh %[a], [%[rate], %[a], lsl #1]\n\t ldrh %[b], [%[rate], %[b], lsl #1]\n\t"                                    \
    "ldrh %[c], [%[rate], %[c], lsl #1]\n\t ldrh %[d], [%[rate], %[d], lsl #1]\n\t"                                    \
    "smlawb %[a], %[time], %[a], %[least]\n\t smlawb %[b], %[time], %[b], %[least]\n\t"                                \
    "smlawb %[c], %[time], %[c], %[least]\n\t smlawb %[d], %[time], %[d], %[least]\n\t"                                \
    "vmov " d0 ", " d1 ", %[a], %[b]\n\t vmov " d2 ", " d3 ", %[c], %[d]\n\t"                                          \
    "vcvt.f32.s32 " d0 ", " d0 ", #22\n\t vcvt.f32.s32 " d1 ", " d1 ", #22\n\t"                                        \
    "vcvt.f32.s32 " d2 ", " d2 ", #22\n\t vcvt.f32.s32 " d3 ", " d3 ", #22\n\t"

/* From the inverse of d0 * d1 to the new h of both. */
#define NEXT_TWO(inverse, d0, d1, h0, h1)                                                                              \
    "vmul.f32 " d1 ", " inverse ", " d1 "\n\t vmul.f32 " d0 ", " inverse ", " d0 "\n\t"                                \
    "vmul.f32 " h0 ", " d1 ", " h0 "\n\t vmul.f32 " h1 ", " d0 ", " h1 "\n\t"

/* VCVTR rounds half to even and saturates to int32, SSAT to int8; the last two operations make -127 of -128. */
#define QUANTIZE_FOUR(h0, h1, h2, h3)                                                                                  \
    "vmul.f32 s4, " h0 ", %[scale]\n\t vmul.f32 s5, " h1 ", %[scale]\n\t"                                              \
    "vmul.f32 s6, " h2 ", %[scale]\n\t vmul.f32 s7, " h3 ", %[scale]\n\t"                                              \
    "vcvtr.s32.f32 s4, s4\n\t vcvtr.s32.f32 s5, s5\n\t vcvtr.s32.f32 s6, s6\n\t vcvtr.s32.f32 s7, s7\n\t"              \
    "vmov %[a], %[b], s4, s5\n\t vmov %[c], %[d], s6, s7\n\t"                                                          \
    "ssat %[a], #8, %[a]\n\t ssat %[b], #8, %[b]\n\t ssat %[c], #8, %[c]\n\t ssat %[d], #8, %[d]\n\t"                  \
    "bfi %[a], %[b], #8, #8\n\t bfi %[a], %[c], #16, #8\n\t bfi %[a], %[d], #24, #8\n\t"                               \
    "qsub8 %[a], %[a], %[ones]\n\t sadd8 %[a], %[a], %[ones]\n\t"                                                      \
    "str %[a], [%[q_]], #4\n\t"

/* The same, eight at a time until h is at `end`; 193 cycles each, of which 14 are the division. Written out because a
 * load behind a load takes one cycle and any other two; gcc spreads them. VCVT with 7 fraction bits is the conversion
 * and the multiplication by 2^-7, both exact. */
static inline __attribute__((always_inline)) void step_eights(cursor *at, const float *end, const int16_t *rate,
                                                              const factors *by) {
    uint32_t a, b, c, d;
    /* clang-format off */
    __asm__ volatile(
        "1:\n\t"
        "vldmia %[h_], {s16-s23}\n\t"
        DRIVE_FOUR("s16", "s17", "s18", "s19")
        DRIVE_FOUR("s20", "s21", "s22", "s23")
        DIVISOR_FOUR("s8", "s9", "s10", "s11")
        DIVISOR_FOUR("s12", "s13", "s14", "s15")
        /* tl_invert_together: products of pairs in s4-s7, of fours in s24 and s25. */
        "vmul.f32 s4, s8, s9\n\t vmul.f32 s5, s10, s11\n\t vmul.f32 s6, s12, s13\n\t vmul.f32 s7, s14, s15\n\t"
        "vmul.f32 s24, s4, s5\n\t vmul.f32 s25, s6, s7\n\t vmul.f32 s26, s24, s25\n\t"
        "vdiv.f32 s26, %[one], s26\n\t"
        /* From here on the other's: s25 of the first four, s5 of the first pair. */
        "vmul.f32 s25, s26, s25\n\t vmul.f32 s24, s26, s24\n\t"
        "vmul.f32 s5, s25, s5\n\t vmul.f32 s4, s25, s4\n\t vmul.f32 s7, s24, s7\n\t vmul.f32 s6, s24, s6\n\t"
        NEXT_TWO("s5", "s8", "s9", "s16", "s17") NEXT_TWO("s4", "s10", "s11", "s18", "s19")
        NEXT_TWO("s7", "s12", "s13", "s20", "s21") NEXT_TWO("s6", "s14", "s15", "s22", "s23")
        "vstmia %[h_]!, {s16-s23}\n\t"
        QUANTIZE_FOUR("s16", "s17", "s18", "s19")
        QUANTIZE_FOUR("s20", "s21", "s22", "s23")
        "cmp %[h_], %[end]\n\t"
        "bne 1b"
        : [a] "=&r"(a), [b] "=&r"(b), [c] "=&r"(c), [d] "=&r"(d), [h_] "+&r"(at->h), [f_] "+&r"(at->f),
          [z_] "+&r"(at->z), [q_] "+&r"(at->q)
        : [rate] "r"(rate), [end] "r"(end), [time] "r"(by->leak.time), [least] "r"(by->leak.least),
          [ones] "r"(0x01010101u), [dt] "t"(by->dt), [one] "t"(by->one), [scale] "t"(by->inv_scale)
        : "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "s12", "s13", "s14", "s15", "s16", "s17", "s18", "s19", "s20",
          "s21", "s22", "s23", "s24", "s25", "s26", "cc", "memory");
    /* clang-format on */
}
#else
static inline void step_eights(cursor *at, const float *end, const int16_t *rate, const factors *by) {
    while (at->h < end) {
        step_some(at, TOGETHER, rate, by);
    }
}
#endif

__attribute__((noinline)) void tl_solver_step_to_int8(float h[TL_STATES], const int8_t f[TL_STATES],
                                                      const int8_t z[TL_STATES], const int16_t *rate_table,
                                                      float rate_unit, float dt, float inv_scale, int8_t q[TL_STATES]) {
    static const uint16_t widths[] = TL_SOLVED;
    const factors by = {dt, inv_scale, 1.0f, tl_leak_over(dt, rate_unit)};
    cursor at = {h, f, z, q};
    for (unsigned i = 0; i < sizeof widths / sizeof widths[0]; ++i) {
        const int16_t *rate = tl_rates_of(rate_table, i);
        const unsigned rest = widths[i] % TOGETHER;
        if (widths[i] != rest) {
            step_eights(&at, at.h + (widths[i] - rest), rate, &by);
        }
        if (rest != 0u) {
            step_some(&at, rest, rate, &by);
        }
    }
}

void tl_solver_step(float h[TL_STATES], const int8_t f[TL_STATES], const int8_t z[TL_STATES], const int16_t *rate_table,
                    float rate_unit, float dt) {
    int8_t unused[TL_STATES];
    tl_solver_step_to_int8(h, f, z, rate_table, rate_unit, dt, 1.0f, unused);
}
