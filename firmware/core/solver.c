#include "core/solver.h"

#include "core/element.h"

typedef struct {
    float *h;
    const int8_t *f;
    const int8_t *z;
} cursor;

/* One element. */
static inline void solve_one(cursor *at, const float *rate, float dt) {
    *at->h = tl_solve_element(*at->h, *at->f++, rate[*at->z++], dt);
    ++at->h;
}

#if defined(__ARM_FEATURE_DSP) && defined(__ARM_FP)
/* Four elements, the same operations in the same order. Written out because a load behind a load takes one cycle and
 * any other two; gcc spreads them. VCVT with 7 fraction bits is the conversion and the multiplication by 2^-7, both
 * exact. */
static inline void solve_four(cursor *at, const float *rate, float dt, float one) {
    uint32_t z0, z1, z2, z3, f0, f1, f2, f3;
    __asm__ volatile("ldrsb %[z0], [%[z]], #1\n\t"
                     "ldrsb %[z1], [%[z]], #1\n\t"
                     "ldrsb %[z2], [%[z]], #1\n\t"
                     "ldrsb %[z3], [%[z]], #1\n\t"
                     "ldr %[z0], [%[rate], %[z0], lsl #2]\n\t"
                     "ldr %[z1], [%[rate], %[z1], lsl #2]\n\t"
                     "ldr %[z2], [%[rate], %[z2], lsl #2]\n\t"
                     "ldrsb %[f0], [%[f]], #1\n\t"
                     "ldr %[z3], [%[rate], %[z3], lsl #2]\n\t"
                     "ldrsb %[f1], [%[f]], #1\n\t"
                     "ldrsb %[f2], [%[f]], #1\n\t"
                     "ldrsb %[f3], [%[f]], #1\n\t"
                     "vldmia %[h], {s8-s11}\n\t"
                     /* s4..s7: p, then s = h + p */
                     "vmov s4, %[f0]\n\t vmov s5, %[f1]\n\t vmov s6, %[f2]\n\t vmov s7, %[f3]\n\t"
                     "vcvt.f32.s32 s4, s4, #7\n\t vcvt.f32.s32 s5, s5, #7\n\t"
                     "vcvt.f32.s32 s6, s6, #7\n\t vcvt.f32.s32 s7, s7, #7\n\t"
                     "vmul.f32 s4, %[dt], s4\n\t vmul.f32 s5, %[dt], s5\n\t"
                     "vmul.f32 s6, %[dt], s6\n\t vmul.f32 s7, %[dt], s7\n\t"
                     "vadd.f32 s4, s8, s4\n\t vadd.f32 s5, s9, s5\n\t"
                     "vadd.f32 s6, s10, s6\n\t vadd.f32 s7, s11, s7\n\t"
                     /* s8..s11: r, t, d, A, then the new h */
                     "vmov s8, %[z0]\n\t vmov s9, %[z1]\n\t vmov s10, %[z2]\n\t vmov s11, %[z3]\n\t"
                     "vmul.f32 s8, %[dt], s8\n\t vmul.f32 s9, %[dt], s9\n\t"
                     "vmul.f32 s10, %[dt], s10\n\t vmul.f32 s11, %[dt], s11\n\t"
                     "vadd.f32 s8, %[one], s8\n\t vadd.f32 s9, %[one], s9\n\t"
                     "vadd.f32 s10, %[one], s10\n\t vadd.f32 s11, %[one], s11\n\t"
                     "vdiv.f32 s8, %[one], s8\n\t vdiv.f32 s9, %[one], s9\n\t"
                     "vdiv.f32 s10, %[one], s10\n\t vdiv.f32 s11, %[one], s11\n\t"
                     "vmul.f32 s8, s8, s4\n\t vmul.f32 s9, s9, s5\n\t"
                     "vmul.f32 s10, s10, s6\n\t vmul.f32 s11, s11, s7\n\t"
                     "vstmia %[h]!, {s8-s11}"
                     : [z0] "=&r"(z0), [z1] "=&r"(z1), [z2] "=&r"(z2), [z3] "=&r"(z3), [f0] "=&r"(f0), [f1] "=&r"(f1),
                       [f2] "=&r"(f2), [f3] "=&r"(f3), [h] "+&r"(at->h), [f] "+&r"(at->f), [z] "+&r"(at->z)
                     : [rate] "r"(rate), [dt] "t"(dt), [one] "t"(one)
                     : "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "memory");
}
#else
static inline void solve_four(cursor *at, const float *rate, float dt, float one) {
    (void)one;
    for (unsigned i = 0; i < 4u; ++i) {
        solve_one(at, rate, dt);
    }
}
#endif

void tl_solver_step(float h[TL_STATES], const int8_t f[TL_STATES], const int8_t z[TL_STATES], const float *rate_table,
                    float dt) {
    static const uint16_t units[TL_LAYERS] = TL_UNITS;
    cursor at = {h, f, z};
    for (unsigned layer = 0; layer < TL_LAYERS; ++layer) {
        const float *rate = rate_table + 256u * layer + 128u;
        const float *end = at.h + units[layer];
        for (const float *whole = at.h + units[layer] / 4u * 4u; at.h < whole;) {
            solve_four(&at, rate, dt, 1.0f);
        }
        while (at.h < end) {
            solve_one(&at, rate, dt);
        }
    }
}
