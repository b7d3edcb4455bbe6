/* The whole way of a message, under sanitizers: random encoders fill random payloads, the queue takes them, the line
 * carries them with damage, a receiver decodes them, and what arrives is read as a request of any kind. What was queued
 * must arrive in the queue's order, unless it was damaged, and nothing else may.
 * Usage: soak frames seed. Prints queued, delivered, damaged, refused requests. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/message.h"
#include "core/txqueue.h"

static uint64_t seed;

/* xorshift64 (Marsaglia 2003). */
static uint32_t rnd(uint32_t below) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)((seed >> 24) % below);
}

static void *exactly(size_t size) {
    uint8_t *object = malloc(size ? size : 1);
    if (!object) {
        exit(2);
    }
    for (size_t i = 0; i < size; ++i) {
        object[i] = (uint8_t)(rnd(4) ? rnd(256) : 0);
    }
    return object;
}

/* A payload of any kind, of exactly its size as far as the encoder may read. */
static size_t any_message(uint8_t *payload) {
    const uint64_t time_us = ((uint64_t)rnd(UINT32_MAX) << 32) | rnd(UINT32_MAX);
    size_t size = 0;
    if (rnd(4) == 0) { /* a request, or what looks like one */
        size = TL_PAYLOAD_MIN + rnd(40);
        for (size_t i = 0; i < size; ++i) {
            payload[i] = (uint8_t)rnd(256);
        }
        payload[0] = (uint8_t)(62u + rnd(8));
        payload[1] = (uint8_t)(rnd(8) ? 1u : rnd(256));
        return size;
    }
    switch (rnd(8)) {
    case 0: {
        const uint8_t count = (uint8_t)rnd(12);
        uint64_t *stamps = exactly(count * sizeof *stamps);
        int16_t *codes = exactly(count * 6u * sizeof *codes);
        size = tl_message_sample(payload, time_us, rnd(UINT32_MAX), stamps, codes, count);
        free(codes);
        free(stamps);
        break;
    }
    case 1: {
        tl_step_message step = {.outputs = (uint8_t)rnd(40)};
        int8_t *y = exactly(step.outputs);
        step.margin = INT32_MIN;
        step.y = y;
        size = tl_message_step(payload, time_us, &step);
        free(y);
        break;
    }
    case 2: {
        const size_t length = rnd(300);
        char *text = exactly(length + 1);
        text[length] = '\0';
        size = tl_message_log(payload, time_us, TL_LOG_ERROR, text);
        free(text);
        break;
    }
    case 3: {
        uint8_t *hash = exactly(32);
        tl_hello hello = {.board = "a board with a name that is longer than its field", .firmware = ""};
        hello.model_sha256 = rnd(2) ? hash : NULL;
        size = tl_message_hello(payload, time_us, &hello);
        free(hash);
        break;
    }
    case 4: {
        const tl_timing timing = {.index = UINT32_MAX};
        size = tl_message_timing(payload, time_us, &timing);
        break;
    }
    case 5: {
        const tl_health health = {.samples = UINT32_MAX};
        size = tl_message_health(payload, time_us, &health);
        break;
    }
    case 6:
        size = tl_message_decision(payload, time_us, 1, 255, INT32_MIN, UINT64_MAX);
        break;
    default:
        size = tl_message_ack(payload, time_us, 65535, TL_ACK_NOT_NOW);
        break;
    }
    return size;
}

static void fail(const char *what) {
    puts(what);
    exit(1);
}

int main(int argc, char **argv) {
    const unsigned long frames = strtoul(argc > 1 ? argv[1] : "1000", NULL, 10);
    seed = strtoull(argc > 2 ? argv[2] : "1", NULL, 10) * 0x9E3779B97F4A7C15u + 1u;
    uint8_t *command = exactly(256), *other = exactly(1024), *payload = exactly(TL_PAYLOAD_MAX);
    tl_txqueue *queue = exactly(sizeof *queue);
    tl_frame_receiver *receiver = exactly(sizeof *receiver);
    if (!tl_txqueue_init(queue, command, 256, other, 1024)) {
        return 2;
    }
    tl_frame_receiver_init(receiver);
    unsigned long queued = 0, delivered = 0, damaged = 0, refused = 0;
    uint32_t last[TL_TX_RINGS] = {0, 0};
    bool hurt = false;
    for (unsigned long n = 0; n < frames;) {
        if (rnd(3)) {
            const size_t size = any_message(payload);
            n += 1;
            queued += tl_txqueue_put(queue, payload, size);
            continue;
        }
        const uint8_t *chunk = NULL;
        const size_t bytes = tl_txqueue_next(queue, &chunk);
        for (size_t i = 0; i < bytes; ++i) {
            uint8_t byte = chunk[i];
            if (byte != 0 && rnd(4000) == 0) {
                const uint8_t flipped = (uint8_t)(byte ^ (1u << rnd(8)));
                byte = flipped ? flipped : byte; /* a delimiter would cut the frame in two */
                hurt = true;
            }
            const size_t size = tl_frame_receive(receiver, byte);
            if (byte == 0) {
                if (size == 0 && !hurt) {
                    fail("a frame that was not damaged did not arrive");
                }
                damaged += hurt && size == 0;
                hurt = false;
            }
            if (size > 0) {
                uint8_t *copy = malloc(size); /* of exactly its size */
                if (!copy) {
                    return 2;
                }
                memcpy(copy, receiver->buffer, size);
                const uint32_t sequence = tl_message_sequence(copy);
                const tl_tx_ring ring = tl_message_is_command(copy[0]) ? TL_TX_COMMAND : TL_TX_OTHER;
                if ((uint16_t)(sequence - last[ring]) > 32768u) {
                    fail("a frame overtook another of its ring");
                }
                last[ring] = sequence;
                tl_request request;
                refused += tl_request_decode(&request, copy, size) != TL_ACK_DONE;
                delivered += 1;
                free(copy);
            }
        }
        if (bytes > 0) {
            (void)tl_txqueue_done(queue);
        }
    }
    if (delivered != receiver->frames || damaged != tl_frame_bad(receiver)) {
        fail("the receiver's counters do not add up");
    }
    printf("%lu %lu %lu %lu\n", queued, delivered, damaged, refused);
    free(receiver);
    free(queue);
    free(payload);
    free(other);
    free(command);
    return 0;
}
