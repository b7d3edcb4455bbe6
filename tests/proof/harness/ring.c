/* The burst ring (core/ring.h).
 *
 * Proven: from every state that a ring can be in (any counters, at most TL_RING_SAMPLES apart, any content), push, take
 * and count_lost stay inside their arrays and leave such a state; a push that is accepted adds one sample and changes no
 * waiting one, one that is refused only counts; take gives the oldest samples in order, at most `capacity` of them. By
 * induction that holds for every sequence of calls, of any length, wrapped counters included.
 * Bounds: take's capacity is at most TL_RING_SAMPLES + 2.
 * Assumed: each call is whole. The C11 atomics are executed as plain accesses. */
#include "core/ring.h"
#include "proof.h"

#define CAPACITY (TL_RING_SAMPLES + 2u)

static bool same(const tl_sample *a, const tl_sample *b) {
    bool codes = true;
    for (unsigned c = 0; c < TL_RING_CHANNELS; ++c) {
        codes = codes && a->code[c] == b->code[c];
    }
    return codes && a->t_us == b->t_us && a->read_us == b->read_us;
}

static uint32_t between(const tl_ring *ring) {
    return ring->written - ring->taken;
}

void proof_push(void) {
    tl_ring ring;
    tl_sample sample;
    uint32_t i; /* any of the waiting samples */
    const uint32_t waiting = between(&ring);
    assume(waiting <= TL_RING_SAMPLES && i < waiting);
    const uint32_t place = (ring.taken + i) % TL_RING_SAMPLES;
    const tl_sample kept = ring.slot[place];
    const uint32_t lost = ring.lost;

    const bool accepted = tl_ring_push(&ring, &sample);

    prove(accepted == (waiting < TL_RING_SAMPLES), "only a full ring refuses");
    prove(tl_ring_lost(&ring) == lost + (accepted ? 0u : 1u), "what is refused is counted");
    prove(tl_ring_waiting(&ring) == waiting + (accepted ? 1u : 0u), "one more waits");
    prove(same(&ring.slot[place], &kept), "the waiting samples stay");
    prove(!accepted || same(&ring.slot[(ring.taken + waiting) % TL_RING_SAMPLES], &sample), "the new one is the last");
    prove(between(&ring) <= TL_RING_SAMPLES, "a state that a ring can be in");
    reached();
}

static uint32_t take(tl_ring *ring, tl_sample burst[CAPACITY]) {
    uint32_t capacity;
    const uint32_t waiting = between(ring);
    assume(waiting <= TL_RING_SAMPLES && capacity <= CAPACITY);
    const uint32_t n = tl_ring_take(ring, burst, capacity);
    prove(n == (waiting < capacity ? waiting : capacity), "as many as there are and fit");
    prove(between(ring) == waiting - n, "the rest waits");
    return n;
}

void proof_take(void) {
    tl_ring ring;
    tl_sample burst[CAPACITY];
    (void)take(&ring, burst);
    reached();
}

void proof_order(void) {
    tl_ring ring;
    tl_sample burst[CAPACITY];
    uint32_t i;
    const uint32_t taken = ring.taken;
    const uint32_t n = take(&ring, burst);
    assume(i < n);
    prove(burst[i].t_us == ring.slot[(taken + i) % TL_RING_SAMPLES].t_us, "the oldest first, in order");
    reached();
}

void proof_count_lost(void) {
    tl_ring ring;
    assume(between(&ring) <= TL_RING_SAMPLES);
    const uint32_t waiting = between(&ring);
    tl_ring_count_lost(&ring);
    prove(between(&ring) == waiting, "no sample is touched");
    reached();
}
