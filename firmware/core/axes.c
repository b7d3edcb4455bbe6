#include "core/axes.h"

#include <string.h>

#define GRAVITY 9.80665f
#define COUNT_MAX 1024u        /* samples of a block: their sum stays within 32 bits */
#define STRETCH_MAX 0.16f      /* s between the middles of two blocks; more is a gap */
#define GRAVITY_TOLERANCE 0.3f /* of |a|^2 in g^2: beyond, the hand is pushed */
#define TURN_LEAST 0.0064f     /* (0.08 g)^2: gravity must have moved so far between two blocks */
#define TURN_MOST 0.36f        /* (0.6 rad)^2: two blocks are no good arc any more */
#define PORTION 1.0f           /* g^2 of movement make one portion of evidence */
#define WRONG_WAY (-0.5f)      /* of that movement: a sound frame has 1, a swinging arm 0, a mirrored frame -1 */
#define PORTIONS 3u            /* in a row */

void tl_axes_init(tl_axes *axes, float acc_lsb, float gyro_lsb) {
    memset(axes, 0, sizeof *axes);
    axes->acc_unit = acc_lsb / GRAVITY;
    axes->gyro_unit = gyro_lsb;
}

void tl_axes_restart(tl_axes *axes) {
    memset(axes->sum, 0, sizeof axes->sum);
    axes->count = 0;
    axes->block_us = 0;
    axes->mean_us = 0;
}

static float square(const float v[3]) {
    return v[0] * v[0] + v[1] * v[1] + v[2] * v[2];
}

static bool about_gravity(const float a[3]) {
    const float off = square(a) - 1.0f;
    return off < GRAVITY_TOLERANCE && off > -GRAVITY_TOLERANCE;
}

static void judge(tl_axes *axes) {
    const float share = axes->along / axes->turned;
    axes->along = 0.0f;
    axes->turned = 0.0f;
    if (share >= WRONG_WAY) {
        axes->against = 0;
        if (share > -WRONG_WAY) {
            axes->odd = false;
        }
        return;
    }
    if (axes->against < PORTIONS) {
        ++axes->against;
    }
    if (axes->against == PORTIONS && !axes->odd) {
        axes->odd = true;
        ++axes->found;
    }
}

/* From the middle of the block before, with `before`, to the middle of this one, with `now`, in `time` seconds. */
static void compare(tl_axes *axes, const float before[TL_AXES_CHANNELS], const float now[TL_AXES_CHANNELS],
                    float time) {
    if (time > STRETCH_MAX || !about_gravity(before) || !about_gravity(now)) {
        return;
    }
    float a[3];
    float turn[3];
    for (unsigned c = 0; c < 3u; ++c) {
        a[c] = 0.5f * (before[c] + now[c]);
        turn[c] = 0.5f * (before[c + 3u] + now[c + 3u]) * time;
    }
    const float should[3] = {
        a[1] * turn[2] - a[2] * turn[1],
        a[2] * turn[0] - a[0] * turn[2],
        a[0] * turn[1] - a[1] * turn[0],
    };
    const float far = square(should);
    if (far < TURN_LEAST || square(turn) > TURN_MOST) {
        return;
    }
    for (unsigned c = 0; c < 3u; ++c) {
        axes->along += should[c] * (now[c] - before[c]);
    }
    axes->turned += far;
    if (axes->turned >= PORTION) {
        judge(axes);
    }
}

void tl_axes_sample(tl_axes *axes, const int16_t code[TL_AXES_CHANNELS], uint32_t delta_us) {
    for (unsigned c = 0; c < TL_AXES_CHANNELS; ++c) {
        axes->sum[c] += code[c];
    }
    ++axes->count;
    axes->block_us += delta_us;
    if (axes->block_us < TL_AXES_BLOCK_US && axes->count < COUNT_MAX) {
        return;
    }
    float now[TL_AXES_CHANNELS];
    for (unsigned c = 0; c < TL_AXES_CHANNELS; ++c) {
        const float unit = c < 3u ? axes->acc_unit : axes->gyro_unit;
        now[c] = (float)axes->sum[c] / (float)axes->count * unit;
        axes->sum[c] = 0;
    }
    if (axes->mean_us != 0u) {
        compare(axes, axes->mean, now, 0.5e-6f * ((float)axes->mean_us + (float)axes->block_us));
    }
    memcpy(axes->mean, now, sizeof now);
    axes->mean_us = axes->block_us;
    axes->count = 0;
    axes->block_us = 0;
}
