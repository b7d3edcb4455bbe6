/* The burst ring: stamped IMU samples on their way from the sensor's interrupt to the main loop.
 *
 * One producer (the interrupt) and one consumer (the main loop), no locks: each side writes its own counter only.
 * The counters run freely and wrap; the number waiting is their difference. A full ring loses the newest sample and
 * counts it, because the consumer may be reading the oldest. */
#ifndef TL_CORE_RING_H
#define TL_CORE_RING_H

#include <stdbool.h>
#include <stdint.h>

#define TL_RING_SAMPLES 16u /* a power of two: 77 ms at 208 Hz */
#define TL_RING_CHANNELS 6

typedef struct {
    uint64_t t_us;                  /* of the data-ready edge */
    uint32_t read_us;               /* from that edge until the burst was read */
    int16_t code[TL_RING_CHANNELS]; /* ax ay az gx gy gz (docs/SPEC.md, 1) */
} tl_sample;

typedef struct {
    tl_sample slot[TL_RING_SAMPLES];
    _Atomic uint32_t written; /* the producer's */
    _Atomic uint32_t taken;   /* the consumer's */
    _Atomic uint32_t lost;    /* the producer's */
} tl_ring;

void tl_ring_init(tl_ring *ring);

/* Producer. False, and one more lost, when the ring is full. */
bool tl_ring_push(tl_ring *ring, const tl_sample *sample);

/* Producer: a sample was lost before it could be pushed. */
void tl_ring_count_lost(tl_ring *ring);

/* Consumer: takes up to `capacity` of the oldest samples; returns how many. */
uint32_t tl_ring_take(tl_ring *ring, tl_sample *burst, uint32_t capacity);

/* Either side: samples waiting, and samples lost since tl_ring_init. */
uint32_t tl_ring_waiting(const tl_ring *ring);
uint32_t tl_ring_lost(const tl_ring *ring);

#endif
