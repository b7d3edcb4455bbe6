#include "core/solver.h"

void tl_solver_step(float h[TL_STATES], const int8_t f[TL_STATES], const int8_t z[TL_STATES], const float *rate_table,
                    float dt) {
    static const uint16_t units[TL_LAYERS] = TL_UNITS;
    unsigned i = 0;
    for (unsigned layer = 0; layer < TL_LAYERS; ++layer) {
        const float *rate = rate_table + 256u * layer + 128u;
        const unsigned end = i + units[layer];
#pragma GCC unroll 4
        for (; i < end; ++i) {
            const float t = dt * rate[z[i]];
            const float d = 1.0f + t;
            const float a = 1.0f / d;
            const float p = dt * ((float)f[i] * 0.0078125f);
            const float s = h[i] + p;
            h[i] = a * s;
        }
    }
}
