#include "core/txqueue.h"

#include <string.h>

#include "core/message.h"

static bool ring_init(tl_txring *ring, uint8_t *storage, uint32_t capacity) {
    ring->storage = storage;
    ring->capacity = capacity;
    atomic_init(&ring->head, 0);
    atomic_init(&ring->tail, 0);
    return capacity > TL_FRAME_MAX && (capacity & (capacity - 1u)) == 0;
}

bool tl_txqueue_init(tl_txqueue *queue, uint8_t *command_storage, uint32_t command_capacity, uint8_t *other_storage,
                     uint32_t other_capacity) {
    memset(queue, 0, sizeof *queue);
    const bool command = ring_init(&queue->ring[TL_TX_COMMAND], command_storage, command_capacity);
    const bool other = ring_init(&queue->ring[TL_TX_OTHER], other_storage, other_capacity);
    return command && other;
}

/* Copies to the ring at the free-running position `at`, around its end if need be. */
static void copy_in(const tl_txring *ring, uint32_t at, const uint8_t *data, uint32_t size) {
    const uint32_t offset = at & (ring->capacity - 1u);
    const uint32_t room = ring->capacity - offset;
    const uint32_t first = size < room ? size : room;
    memcpy(ring->storage + offset, data, first);
    memcpy(ring->storage, data + first, size - first);
}

bool tl_txqueue_put(tl_txqueue *queue, uint8_t *payload, size_t size) {
    uint8_t record[1 + TL_FRAME_MAX];
    if (size < TL_PAYLOAD_MIN || size > TL_PAYLOAD_MAX) {
        return false;
    }
    tl_message_set_sequence(payload, queue->sequence);
    queue->sequence = (uint16_t)(queue->sequence + 1u);

    const tl_tx_ring which = tl_message_is_command(payload[0]) ? TL_TX_COMMAND : TL_TX_OTHER;
    tl_txring *ring = &queue->ring[which];
    const uint32_t head = (uint32_t)atomic_load_explicit(&ring->head, memory_order_relaxed);
    const uint32_t tail = (uint32_t)atomic_load_explicit(&ring->tail, memory_order_acquire);
    const uint32_t frame = (uint32_t)tl_frame_build(payload, size, record + 1);
    const uint32_t used = head - tail;
    if (frame + 1u > ring->capacity - used) {
        queue->dropped[which] += 1;
        return false;
    }
    record[0] = (uint8_t)frame;
    copy_in(ring, head, record, frame + 1u);
    queue->queued[which] += 1;
    if (used + frame + 1u > queue->high_water[which]) {
        queue->high_water[which] = used + frame + 1u;
    }
    atomic_store_explicit(&ring->head, head + frame + 1u, memory_order_release);
    return true;
}

/* Takes the size byte of the first waiting frame of `which`. */
static bool begin_frame(tl_txqueue *queue, tl_tx_ring which) {
    tl_txring *ring = &queue->ring[which];
    const uint32_t head = (uint32_t)atomic_load_explicit(&ring->head, memory_order_acquire);
    const uint32_t tail = (uint32_t)atomic_load_explicit(&ring->tail, memory_order_relaxed);
    if (head == tail) {
        return false;
    }
    queue->active = which;
    queue->left = ring->storage[tail & (ring->capacity - 1u)];
    atomic_store_explicit(&ring->tail, tail + 1u, memory_order_release);
    return true;
}

size_t tl_txqueue_next(tl_txqueue *queue, const uint8_t **chunk) {
    if (queue->left == 0 && !begin_frame(queue, TL_TX_COMMAND) && !begin_frame(queue, TL_TX_OTHER)) {
        return 0;
    }
    const tl_txring *ring = &queue->ring[queue->active];
    const uint32_t offset = (uint32_t)atomic_load_explicit(&ring->tail, memory_order_relaxed) & (ring->capacity - 1u);
    const uint32_t room = ring->capacity - offset;
    queue->chunk = queue->left < room ? queue->left : room;
    *chunk = ring->storage + offset;
    return queue->chunk;
}

tl_tx_done tl_txqueue_done(tl_txqueue *queue) {
    tl_txring *ring = &queue->ring[queue->active];
    const uint32_t tail = (uint32_t)atomic_load_explicit(&ring->tail, memory_order_relaxed);
    atomic_store_explicit(&ring->tail, tail + queue->chunk, memory_order_release);
    queue->left -= queue->chunk;
    queue->chunk = 0;
    if (queue->left > 0) {
        return TL_TX_PART;
    }
    queue->sent[queue->active] = queue->sent[queue->active] + 1u;
    return queue->active == TL_TX_COMMAND ? TL_TX_COMMAND_ENDED : TL_TX_OTHER_ENDED;
}

bool tl_txqueue_empty(const tl_txqueue *queue) {
    for (uint32_t i = 0; i < TL_TX_RINGS; ++i) {
        const tl_txring *ring = &queue->ring[i];
        if (atomic_load_explicit(&ring->head, memory_order_acquire) !=
            atomic_load_explicit(&ring->tail, memory_order_acquire)) {
            return false;
        }
    }
    return true;
}
