#include "core/plausible.h"

#include <string.h>

#define GRAVITY 9.80665f
#define LOW_SHARE 0.09f          /* 0.3 g squared */
#define HIGH_SHARE 16.0f         /* 4 g squared */
#define SQUARE_MAX 4294967040.0f /* the largest float below 2^32 */
#define GAP_US 1000000u

void tl_plausible_init(tl_plausible *watch, float acc_lsb, float gyro_lsb) {
    memset(watch, 0, sizeof *watch);
    const float gravity = GRAVITY / acc_lsb;
    const float square = gravity * gravity;
    const float high = square * HIGH_SHARE;
    watch->square_low = (uint32_t)(square * LOW_SHARE < SQUARE_MAX ? square * LOW_SHARE : SQUARE_MAX);
    watch->square_high = (uint32_t)(high < SQUARE_MAX ? high : SQUARE_MAX);
    tl_axes_init(&watch->axes, acc_lsb, gyro_lsb);
}

static void start_block(tl_plausible *watch) {
    watch->square_sum = 0;
    watch->square_count = 0;
    watch->block_us = 0;
}

static void start(tl_plausible *watch, const int16_t code[TL_PLAUSIBLE_CHANNELS]) {
    for (unsigned c = 0; c < TL_PLAUSIBLE_CHANNELS; ++c) {
        watch->last[c] = code[c];
        watch->same_us[c] = 0;
    }
    start_block(watch);
    tl_axes_restart(&watch->axes);
}

static void look_for_stuck(tl_plausible *watch, const int16_t code[TL_PLAUSIBLE_CHANNELS], uint32_t delta_us) {
    for (unsigned c = 0; c < TL_PLAUSIBLE_CHANNELS; ++c) {
        const uint32_t bit = 1u << c;
        if (code[c] != watch->last[c]) {
            watch->last[c] = code[c];
            watch->same_us[c] = 0;
            watch->stuck_now &= ~bit;
        } else if (watch->same_us[c] < TL_STUCK_US) {
            watch->same_us[c] += delta_us;
        } else if ((watch->stuck_now & bit) == 0u) {
            watch->stuck_now |= bit;
            ++watch->stuck;
        }
    }
}

static void look_at_gravity(tl_plausible *watch, const int16_t code[TL_PLAUSIBLE_CHANNELS], uint32_t delta_us) {
    for (unsigned c = 0; c < 3u; ++c) {
        const int32_t value = code[c];
        watch->square_sum += (uint32_t)(value * value);
    }
    ++watch->square_count;
    watch->block_us += delta_us;
    if (watch->block_us < TL_GRAVITY_US) {
        return;
    }
    const bool odd = watch->square_sum < (uint64_t)watch->square_low * watch->square_count ||
                     watch->square_sum > (uint64_t)watch->square_high * watch->square_count;
    if (odd && !watch->gravity_odd) {
        ++watch->odd_gravity;
    }
    watch->gravity_odd = odd;
    start_block(watch);
}

void tl_plausible_sample(tl_plausible *watch, const int16_t code[TL_PLAUSIBLE_CHANNELS], uint64_t t_us) {
    const uint64_t delta = t_us - watch->last_us; /* a stamp that goes back wraps to a very long gap */
    watch->last_us = t_us;
    if (watch->started && delta > INT64_MAX) {
        ++watch->time_back;
    }
    if (!watch->started || delta > GAP_US) {
        watch->started = true;
        start(watch, code);
        return;
    }
    look_for_stuck(watch, code, (uint32_t)delta);
    look_at_gravity(watch, code, (uint32_t)delta);
    tl_axes_sample(&watch->axes, code, (uint32_t)delta);
}
