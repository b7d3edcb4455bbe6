/* Is it a wrist that the sensor measures? Finds a stuck channel, a gravity that cannot be, axes that do not belong
 * together and a time that runs back.
 *
 * It only watches: what it finds is counted and told, and it takes it back by itself when the signal is sound again. */
#ifndef TL_CORE_PLAUSIBLE_H
#define TL_CORE_PLAUSIBLE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/axes.h"

#define TL_PLAUSIBLE_CHANNELS 6u
#define TL_STUCK_US 2000000u   /* a channel that gives one code for this long: noise alone would have moved it */
#define TL_GRAVITY_US 2000000u /* the accelerometer's mean square is looked at over this long */

typedef struct {
    uint32_t square_low;  /* mean square of the accelerometer, codes^2: 0.3 g, less is no wrist on Earth */
    uint32_t square_high; /* 4 g over seconds: more than anyone's arm does */
    int16_t last[TL_PLAUSIBLE_CHANNELS];
    uint32_t same_us[TL_PLAUSIBLE_CHANNELS];
    uint64_t last_us;
    uint64_t square_sum;
    uint32_t square_count;
    uint32_t block_us;
    uint32_t stuck_now; /* one bit per channel */
    bool gravity_odd;
    bool started;
    uint32_t stuck;       /* how often a channel was found stuck */
    uint32_t odd_gravity; /* how often gravity was found implausible */
    uint32_t time_back;   /* how often a stamp was before the one before it */
    tl_axes axes;
} tl_plausible;

/* `acc_lsb`: m/s^2 per code; `gyro_lsb`: rad/s per code. */
void tl_plausible_init(tl_plausible *watch, float acc_lsb, float gyro_lsb);

/* One sample; a stamp that goes back, or a gap of more than a second, starts the observation anew. */
void tl_plausible_sample(tl_plausible *watch, const int16_t code[TL_PLAUSIBLE_CHANNELS], uint64_t t_us);

#endif
