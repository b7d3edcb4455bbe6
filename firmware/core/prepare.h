/* Into int8: IMU codes and the float state (docs/SPEC.md, 2.2 and 2.3). */
#ifndef TL_CORE_PREPARE_H
#define TL_CORE_PREPARE_H

#include <stdint.h>

#include "topology.h"

/* x[c] = clamp((code[c] * multiplier[c] + 32768) >> 16, -127, 127); multipliers are 1..32767. */
void tl_prepare_codes(const int16_t code[TL_INPUTS], const int32_t multiplier[TL_INPUTS], int8_t x[TL_INPUTS]);

/* q[i] = clamp(rint(h[i] * inv_scale), -127, 127), rounding half to even. No element may be a NaN. */
void tl_prepare_state(const float h[TL_STATES], float inv_scale, int8_t q[TL_STATES]);

#endif
