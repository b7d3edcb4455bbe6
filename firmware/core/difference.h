/* From IMU codes to the integers that the network's inputs are scaled from: codes as they are, codes and their rate of
 * change, or codes less their running mean (docs/SPEC.md, 2.2). Which of them is part of the shape. */
#ifndef TL_CORE_DIFFERENCE_H
#define TL_CORE_DIFFERENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "topology.h"

#define TL_CHANNELS 6 /* ax ay az gx gy gz */

/* Values of TL_PREPARATION, in the topology. */
#define TL_PREPARATION_RAW 0
#define TL_PREPARATION_HIGH_PASS 1
#define TL_PREPARATION_DIFFERENCE 2

/* What is remembered of the samples before; all zero before the first. */
typedef struct {
    int32_t kept[TL_CHANNELS]; /* the last code; for the running mean, its value times 256 */
} tl_difference;

#if TL_PREPARATION == TL_PREPARATION_RAW

/* Codes as they are: nothing is computed and nothing remembered. */
static inline const int16_t *tl_difference_read(const tl_difference *difference, const int16_t code[TL_CHANNELS],
                                                uint32_t delta_us, bool reset, int16_t room[TL_INPUTS]) {
    (void)difference;
    (void)delta_us;
    (void)reset;
    (void)room;
    return code;
}

static inline void tl_difference_take(tl_difference *difference, const int16_t code[TL_CHANNELS], uint32_t delta_us,
                                      bool reset) {
    (void)difference;
    (void)code;
    (void)delta_us;
    (void)reset;
}

#else

/* Returns the TL_INPUTS integers for one sample: `code` itself, or `room` after they were written there. `reset`: the
 * sample is the first, or the first after a gap. */
const int16_t *tl_difference_read(const tl_difference *difference, const int16_t code[TL_CHANNELS], uint32_t delta_us,
                                  bool reset, int16_t room[TL_INPUTS]);

/* Remembers the sample, once it counts. */
void tl_difference_take(tl_difference *difference, const int16_t code[TL_CHANNELS], uint32_t delta_us, bool reset);

#endif

#endif
