/* The transmit queue: whole frames, commands before everything else, between the main loop and the transmitter's
 * interrupt.
 *
 * Who may call what:
 *   main loop (one context, never an interrupt): tl_txqueue_init (before the interrupt runs), tl_txqueue_put
 *   consumer (the transmit interrupt; or the main loop while that interrupt is masked, to start an idle transmitter):
 *       tl_txqueue_next, tl_txqueue_done
 *   both: the counters, which are plain words with one writer each (named below); on the Cortex-M an aligned 32-bit
 *       read is whole, but two counters read one after the other are not one moment.
 * The two sides share nothing but each ring's `head` (written by put) and `tail` (written by done): C11 atomics with
 * release and acquire, so that a frame's bytes are in memory before its head is seen (also by a DMA master: the release
 * is a DMB on ARMv7-M) and are not overwritten before its tail is. Two producers, or two consumers, need a lock that
 * is not here.
 *
 * Sequence numbers are given at tl_txqueue_put and a command overtakes other frames, so on the line a command's number
 * may be ahead. Of two frames of one ring the earlier leaves first, and no frame of the other ring is begun while a
 * command waits; therefore, when a frame that is not a command arrives, every smaller number has arrived or is lost.
 * (That needs a consumer that the main loop cannot interrupt, as an interrupt is, or the masked main loop.) */
#ifndef TL_CORE_TXQUEUE_H
#define TL_CORE_TXQUEUE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Free-running byte counts; a frame lies in the ring as one byte of size and then its bytes. */
typedef struct {
    uint8_t *storage;
    uint32_t capacity;          /* a power of two */
    atomic_uint_least32_t head; /* bytes put; written by the main loop */
    atomic_uint_least32_t tail; /* bytes taken; written by the consumer */
} tl_txring;

typedef enum { TL_TX_COMMAND = 0, TL_TX_OTHER = 1, TL_TX_RINGS = 2 } tl_tx_ring;

typedef struct {
    tl_txring ring[TL_TX_RINGS];
    /* written by the main loop */
    uint16_t sequence;                /* of the next frame */
    uint32_t queued[TL_TX_RINGS];     /* frames accepted */
    uint32_t dropped[TL_TX_RINGS];    /* frames refused because the ring was full */
    uint32_t high_water[TL_TX_RINGS]; /* most bytes ever waiting */
    /* written by the consumer */
    volatile uint32_t sent[TL_TX_RINGS]; /* frames whose last byte was reported done */
    tl_tx_ring active;                   /* the ring whose frame is on the line */
    uint32_t left;                       /* bytes of that frame not yet done; 0: no frame on the line */
    uint32_t chunk;                      /* bytes handed out by next; 0: nothing handed out */
} tl_txqueue;

/* The storage stays the caller's and must outlive the queue; capacities are powers of two of at least 256 (one frame
 * of the greatest size). False and an unusable queue otherwise. */
bool tl_txqueue_init(tl_txqueue *queue, uint8_t *command_storage, uint32_t command_capacity, uint8_t *other_storage,
                     uint32_t other_capacity);

/* Writes the next sequence number into `payload`, and queues its frame by its kind's priority. A frame that finds its
 * ring full is dropped and counted, and has taken its number. False: dropped, or `size` is no payload's size (a bug of
 * the caller, which takes no number). */
bool tl_txqueue_put(tl_txqueue *queue, uint8_t *payload, size_t size);

/* The next bytes to send, contiguous, at most to the end of one frame; returns their number, 0 when there is nothing.
 * A frame that wraps around its ring comes in two chunks, with nothing in between. The bytes stay until
 * tl_txqueue_done; a second call before it returns the same chunk. */
size_t tl_txqueue_next(tl_txqueue *queue, const uint8_t **chunk);

typedef enum {
    TL_TX_PART = 0,          /* the frame goes on: call tl_txqueue_next */
    TL_TX_COMMAND_ENDED = 1, /* a command's last byte; `sent[TL_TX_COMMAND]` counts it */
    TL_TX_OTHER_ENDED = 2    /* another frame's last byte */
} tl_tx_done;

/* The chunk of the last tl_txqueue_next has left; its room is free again. To be called only after a chunk was handed
 * out. To time one command: after its put, remember queued[TL_TX_COMMAND]; it has left when sent[TL_TX_COMMAND] reaches
 * that number. */
tl_tx_done tl_txqueue_done(tl_txqueue *queue);

/* True when nothing waits and nothing is on the line. */
bool tl_txqueue_empty(const tl_txqueue *queue);

#endif
