#include "core/health.h"

#include <stddef.h>
#include <string.h>

typedef struct {
    size_t counter; /* its place in tl_health */
    tl_severity severity;
    const char *text;
} trouble;

/* The IMU's faults are told where they are found, with what was done about them. */
static const trouble troubles[] = {
    {offsetof(tl_health, overruns), TL_LOG_WARNING,
     "A sample waited while the one before it was worked on: the step is too slow."},
    {offsetof(tl_health, lost_samples), TL_LOG_ERROR,
     "Samples were lost: the burst ring was full or the sensor's bus was busy."},
    {offsetof(tl_health, dropped_commands), TL_LOG_ERROR, "A command frame was dropped: the transmit queue was full."},
    {offsetof(tl_health, dropped_others), TL_LOG_WARNING,
     "Frames were dropped: the transmit queue was full. Ask for fewer streams."},
    {offsetof(tl_health, gap_resets), TL_LOG_WARNING,
     "The state was reset: a gap between samples was longer than the model bears."},
    {offsetof(tl_health, received_bad), TL_LOG_WARNING, "A received frame was damaged or not understood."},
    {offsetof(tl_health, engine_errors), TL_LOG_ERROR, "The engine failed on a sample."},
    {offsetof(tl_health, stuck), TL_LOG_ERROR, "A channel of the IMU is stuck: it gave one value for seconds."},
    {offsetof(tl_health, odd_gravity), TL_LOG_ERROR,
     "Gravity is implausible: accelerometer and gyroscope swapped, a wrong range, or an unplugged sensor."},
    {offsetof(tl_health, odd_axes), TL_LOG_ERROR,
     "Gravity turns the wrong way: axes of the IMU are exchanged or reversed."},
    {offsetof(tl_health, time_back), TL_LOG_ERROR, "Time ran back between two samples: the state was reset."},
    {offsetof(tl_health, state_faults), TL_LOG_ERROR,
     "A state was no number: memory was overwritten. The state was reset."},
};

bool tl_health_moved(tl_health_watch *watch, const tl_health *now) {
    tl_health before = watch->last;
    before.samples = now->samples;
    watch->last = *now;
    return memcmp(&before, now, sizeof before) != 0; /* uint32_t only: no padding */
}

const char *tl_health_trouble(tl_health_watch *watch, const tl_health *now, tl_severity *severity) {
    for (uint32_t i = 0; i < sizeof troubles / sizeof troubles[0]; i++) {
        uint32_t count;
        memcpy(&count, (const uint8_t *)now + troubles[i].counter, sizeof count);
        if (count != 0u && (watch->told & (1u << i)) == 0u) {
            watch->told |= 1u << i;
            *severity = troubles[i].severity;
            return troubles[i].text;
        }
    }
    return NULL;
}

bool tl_health_states_finite(const float *state, uint32_t states) {
    for (uint32_t i = 0; i < states; i++) {
        uint32_t bits;
        memcpy(&bits, &state[i], sizeof bits);
        if ((bits & 0x7F800000u) == 0x7F800000u) {
            return false;
        }
    }
    return true;
}
