#include "core/solver.h"

#include "core/element.h"

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
} factors;

#define TOGETHER 8u

/* One element. */
static inline void step_one(cursor *at, const float *rate, const factors *by) {
    *at->h = tl_solve_element(*at->h, *at->f++, rate[*at->z++], by->dt);
    *at->q++ = tl_quantize_element(*at->h++, by->inv_scale);
}

#if defined(__ARM_FEATURE_DSP) && defined(__ARM_FP)
/* s4-s7: p of four elements, whose h then becomes h + p. */
#define DRIVE_FOUR(f0, f1, f2, f3, h0, h1, h2, h3)                                                                     \
    "vmov s4, " f0 "\n\t vmov s5, " f1 "\n\t vmov s6, " f2 "\n\t vmov s7, " f3 "\n\t"                                  \
    "vcvt.f32.s32 s4, s4, #7\n\t vcvt.f32.s32 s5, s5, #7\n\t"                                                          \
    "vcvt.f32.s32 s6, s6, #7\n\t vcvt.f32.s32 s7, s7, #7\n\t"                                                          \
    "vmul.f32 s4, %[dt], s4\n\t vmul.f32 s5, %[dt], s5\n\t"                                                            \
    "vmul.f32 s6, %[dt], s6\n\t vmul.f32 s7, %[dt], s7\n\t"                                                            \
    "vadd.f32 " h0 ", " h0 ", s4\n\t vadd.f32 " h1 ", " h1 ", s5\n\t"                                                  \
    "vadd.f32 " h2 ", " h2 ", s6\n\t vadd.f32 " h3 ", " h3 ", s7\n\t"

/* s4-s7: r, t, d, A of four elements, whose h + p then becomes the new h. */
#define RATE_FOUR(r0, r1, r2, r3, h0, h1, h2, h3)                                                                      \
    "vmov s4, " r0 "\n\t vmov s5, " r1 "\n\t vmov s6, " r2 "\n\t vmov s7, " r3 "\n\t"                                  \
    "vmul.f32 s4, %[dt], s4\n\t vmul.f32 s5, %[dt], s5\n\t"                                                            \
    "vmul.f32 s6, %[dt], s6\n\t vmul.f32 s7, %[dt], s7\n\t"                                                            \
    "vadd.f32 s4, %[one], s4\n\t vadd.f32 s5, %[one], s5\n\t"                                                          \
    "vadd.f32 s6, %[one], s6\n\t vadd.f32 s7, %[one], s7\n\t"                                                          \
    "vdiv.f32 s4, %[one], s4\n\t vdiv.f32 s5, %[one], s5\n\t"                                                          \
    "vdiv.f32 s6, %[one], s6\n\t vdiv.f32 s7, %[one], s7\n\t"                                                          \
    "vmul.f32 " h0 ", s4, " h0 "\n\t vmul.f32 " h1 ", s5, " h1 "\n\t"                                                  \
    "vmul.f32 " h2 ", s6, " h2 "\n\t vmul.f32 " h3 ", s7, " h3 "\n\t"

/* VCVTR rounds half to even and saturates to int32, SSAT to int8. */
#define QUANTIZE_FOUR(q0, q1, q2, q3, h0, h1, h2, h3)                                                                  \
    "vmul.f32 s4, " h0 ", %[scale]\n\t vmul.f32 s5, " h1 ", %[scale]\n\t"                                              \
    "vmul.f32 s6, " h2 ", %[scale]\n\t vmul.f32 s7, " h3 ", %[scale]\n\t"                                              \
    "vcvtr.s32.f32 s4, s4\n\t vcvtr.s32.f32 s5, s5\n\t vcvtr.s32.f32 s6, s6\n\t vcvtr.s32.f32 s7, s7\n\t"              \
    "vmov " q0 ", s4\n\t vmov " q1 ", s5\n\t vmov " q2 ", s6\n\t vmov " q3 ", s7\n\t"                                  \
    "ssat " q0 ", #8, " q0 "\n\t ssat " q1 ", #8, " q1 "\n\t ssat " q2 ", #8, " q2 "\n\t ssat " q3 ", #8, " q3 "\n\t"  \
    "bfi " q0 ", " q1 ", #8, #8\n\t bfi " q0 ", " q2 ", #16, #8\n\t bfi " q0 ", " q3 ", #24, #8\n\t"

/* Eight elements, the same operations in the same order. Written out because a load behind a load takes one cycle and
 * any other two; gcc spreads them. VCVT with 7 fraction bits is the conversion and the multiplication by 2^-7, both
 * exact. The last two operations on bytes make -127 of -128. */
static inline void step_eight(cursor *at, const float *rate, const factors *by) {
    uint32_t a, b, c, d, e, f, g, h;
    /* clang-format off */
    __asm__ volatile(
        "ldrsb %[a], [%[f_]], #1\n\t ldrsb %[b], [%[f_]], #1\n\t ldrsb %[c], [%[f_]], #1\n\t ldrsb %[d], [%[f_]], #1\n\t"
        "ldrsb %[e], [%[f_]], #1\n\t ldrsb %[f], [%[f_]], #1\n\t ldrsb %[g], [%[f_]], #1\n\t ldrsb %[h], [%[f_]], #1\n\t"
        "vldmia %[h_], {s8-s15}\n\t"
        DRIVE_FOUR("%[a]", "%[b]", "%[c]", "%[d]", "s8", "s9", "s10", "s11")
        DRIVE_FOUR("%[e]", "%[f]", "%[g]", "%[h]", "s12", "s13", "s14", "s15")
        "ldrsb %[a], [%[z_]], #1\n\t ldrsb %[b], [%[z_]], #1\n\t ldrsb %[c], [%[z_]], #1\n\t ldrsb %[d], [%[z_]], #1\n\t"
        "ldrsb %[e], [%[z_]], #1\n\t ldrsb %[f], [%[z_]], #1\n\t ldrsb %[g], [%[z_]], #1\n\t ldrsb %[h], [%[z_]], #1\n\t"
        "ldr %[a], [%[rate], %[a], lsl #2]\n\t ldr %[b], [%[rate], %[b], lsl #2]\n\t"
        "ldr %[c], [%[rate], %[c], lsl #2]\n\t ldr %[d], [%[rate], %[d], lsl #2]\n\t"
        "ldr %[e], [%[rate], %[e], lsl #2]\n\t ldr %[f], [%[rate], %[f], lsl #2]\n\t"
        "ldr %[g], [%[rate], %[g], lsl #2]\n\t ldr %[h], [%[rate], %[h], lsl #2]\n\t"
        RATE_FOUR("%[a]", "%[b]", "%[c]", "%[d]", "s8", "s9", "s10", "s11")
        RATE_FOUR("%[e]", "%[f]", "%[g]", "%[h]", "s12", "s13", "s14", "s15")
        "vstmia %[h_]!, {s8-s15}\n\t"
        QUANTIZE_FOUR("%[a]", "%[b]", "%[c]", "%[d]", "s8", "s9", "s10", "s11")
        QUANTIZE_FOUR("%[e]", "%[f]", "%[g]", "%[h]", "s12", "s13", "s14", "s15")
        "mov.w %[b], #0x01010101\n\t"
        "qsub8 %[a], %[a], %[b]\n\t qsub8 %[e], %[e], %[b]\n\t"
        "sadd8 %[a], %[a], %[b]\n\t sadd8 %[e], %[e], %[b]\n\t"
        "str %[a], [%[q_]], #4\n\t str %[e], [%[q_]], #4"
        : [a] "=&r"(a), [b] "=&r"(b), [c] "=&r"(c), [d] "=&r"(d), [e] "=&r"(e), [f] "=&r"(f), [g] "=&r"(g),
          [h] "=&r"(h), [h_] "+&r"(at->h), [f_] "+&r"(at->f), [z_] "+&r"(at->z), [q_] "+&r"(at->q)
        : [rate] "r"(rate), [dt] "t"(by->dt), [one] "t"(by->one), [scale] "t"(by->inv_scale)
        : "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "s12", "s13", "s14", "s15", "cc", "memory");
    /* clang-format on */
}
#else
static inline void step_eight(cursor *at, const float *rate, const factors *by) {
    for (unsigned i = 0; i < TOGETHER; ++i) {
        step_one(at, rate, by);
    }
}
#endif

void tl_solver_step_to_int8(float h[TL_STATES], const int8_t f[TL_STATES], const int8_t z[TL_STATES],
                            const float *rate_table, float dt, float inv_scale, int8_t q[TL_STATES]) {
    static const uint16_t units[TL_LAYERS] = TL_UNITS;
    const factors by = {dt, inv_scale, 1.0f};
    cursor at = {h, f, z, q};
    for (unsigned layer = 0; layer < TL_LAYERS; ++layer) {
        const float *rate = rate_table + 256u * layer + 128u;
        const float *end = at.h + units[layer];
        for (const float *whole = at.h + units[layer] / TOGETHER * TOGETHER; at.h < whole;) {
            step_eight(&at, rate, &by);
        }
        while (at.h < end) {
            step_one(&at, rate, &by);
        }
    }
}

void tl_solver_step(float h[TL_STATES], const int8_t f[TL_STATES], const int8_t z[TL_STATES], const float *rate_table,
                    float dt) {
    int8_t unused[TL_STATES];
    tl_solver_step_to_int8(h, f, z, rate_table, dt, 1.0f, unused);
}
