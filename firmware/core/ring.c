#include "core/ring.h"

#include <stdatomic.h>

#define SLOT(counter) ((counter) % TL_RING_SAMPLES)

_Static_assert((TL_RING_SAMPLES & (TL_RING_SAMPLES - 1u)) == 0u, "the counters wrap at 2^32");

void tl_ring_init(tl_ring *ring) {
    atomic_init(&ring->written, 0u);
    atomic_init(&ring->taken, 0u);
    atomic_init(&ring->lost, 0u);
}

bool tl_ring_push(tl_ring *ring, const tl_sample *sample) {
    const uint32_t written = atomic_load_explicit(&ring->written, memory_order_relaxed);
    const uint32_t taken = atomic_load_explicit(&ring->taken, memory_order_acquire);
    if (written - taken >= TL_RING_SAMPLES) {
        tl_ring_count_lost(ring);
        return false;
    }
    ring->slot[SLOT(written)] = *sample;
    atomic_store_explicit(&ring->written, written + 1u, memory_order_release);
    return true;
}

void tl_ring_count_lost(tl_ring *ring) {
    const uint32_t lost = atomic_load_explicit(&ring->lost, memory_order_relaxed);
    atomic_store_explicit(&ring->lost, lost + 1u, memory_order_relaxed);
}

uint32_t tl_ring_take(tl_ring *ring, tl_sample *burst, uint32_t capacity) {
    const uint32_t written = atomic_load_explicit(&ring->written, memory_order_acquire);
    const uint32_t taken = atomic_load_explicit(&ring->taken, memory_order_relaxed);
    const uint32_t waiting = written - taken;
    const uint32_t n = waiting < capacity ? waiting : capacity;
    for (uint32_t i = 0; i < n; i++) {
        burst[i] = ring->slot[SLOT(taken + i)];
    }
    atomic_store_explicit(&ring->taken, taken + n, memory_order_release);
    return n;
}

uint32_t tl_ring_waiting(const tl_ring *ring) {
    const uint32_t taken = atomic_load_explicit(&ring->taken, memory_order_acquire);
    return atomic_load_explicit(&ring->written, memory_order_acquire) - taken;
}

uint32_t tl_ring_lost(const tl_ring *ring) {
    return atomic_load_explicit(&ring->lost, memory_order_relaxed);
}
