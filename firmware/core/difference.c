#include "core/difference.h"

#define LIMIT 32767
#define RATIO_NUMERATOR (1u << 24) /* 2^14 us, with ten fractional bits */
#define RATIO_BITS 10
#define RATIO_MAX (1u << 14) /* times a difference of 17 bits it fits an int32 */
#define MEAN_BITS 8
#define MEAN_SHIFT 20 /* the mean's time constant is 2^20 us */

_Static_assert(TL_INPUTS == (TL_PREPARATION == TL_PREPARATION_DIFFERENCE ? 2 * TL_CHANNELS : TL_CHANNELS),
               "the number of inputs is that of the preparation");

#if TL_PREPARATION != TL_PREPARATION_RAW

static int16_t limited(int32_t value) {
    value = value > LIMIT ? LIMIT : value;
    value = value < -LIMIT ? -LIMIT : value;
    return (int16_t)value;
}

#if TL_PREPARATION == TL_PREPARATION_DIFFERENCE

const int16_t *tl_difference_read(const tl_difference *difference, const int16_t code[TL_CHANNELS], uint32_t delta_us,
                                  bool reset, int16_t room[TL_INPUTS]) {
    const uint32_t quotient = RATIO_NUMERATOR / delta_us; /* never 0: a stamp that stands still is a reset */
    const int32_t ratio = (int32_t)(quotient < RATIO_MAX ? quotient : RATIO_MAX);
    for (unsigned c = 0; c < TL_CHANNELS; ++c) {
        const int32_t step = reset ? 0 : code[c] - difference->kept[c];
        room[c] = code[c];
        room[TL_CHANNELS + c] = limited((step * ratio + (1 << (RATIO_BITS - 1))) >> RATIO_BITS);
    }
    return room;
}

void tl_difference_take(tl_difference *difference, const int16_t code[TL_CHANNELS], uint32_t delta_us, bool reset) {
    (void)delta_us;
    (void)reset;
    for (unsigned c = 0; c < TL_CHANNELS; ++c) {
        difference->kept[c] = code[c];
    }
}

#else

const int16_t *tl_difference_read(const tl_difference *difference, const int16_t code[TL_CHANNELS], uint32_t delta_us,
                                  bool reset, int16_t room[TL_INPUTS]) {
    (void)delta_us;
    for (unsigned c = 0; c < TL_CHANNELS; ++c) {
        const int32_t mean = reset ? code[c] : (difference->kept[c] + (1 << (MEAN_BITS - 1))) >> MEAN_BITS;
        room[c] = limited(code[c] - mean);
    }
    return room;
}

void tl_difference_take(tl_difference *difference, const int16_t code[TL_CHANNELS], uint32_t delta_us, bool reset) {
    const int64_t most = (1 << MEAN_SHIFT) - 1;
    const int64_t delta = (int64_t)delta_us < most ? (int64_t)delta_us : most;
    for (unsigned c = 0; c < TL_CHANNELS; ++c) {
        const int32_t scaled = code[c] * (1 << MEAN_BITS);
        const int32_t mean = reset ? scaled : difference->kept[c];
        difference->kept[c] = mean + (int32_t)(((scaled - mean) * delta) >> MEAN_SHIFT);
    }
}

#endif
#endif
