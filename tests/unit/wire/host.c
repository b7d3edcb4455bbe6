/* What ctypes needs to drive the firmware's wire code: sizes, and a look into the structures. */
#include "core/cobs.h"
#include "core/frame.h"
#include "core/message.h"
#include "core/txqueue.h"

size_t host_receiver_size(void) {
    return sizeof(tl_frame_receiver);
}

size_t host_queue_size(void) {
    return sizeof(tl_txqueue);
}

size_t host_cobs_encode(const uint8_t *data, size_t size, size_t cut, uint8_t *out) {
    tl_cobs_encoder encoder;
    tl_cobs_begin(&encoder, out);
    tl_cobs_write(&encoder, data, cut);
    tl_cobs_write(&encoder, data + cut, size - cut);
    return tl_cobs_end(&encoder);
}

int host_cobs_decode(const uint8_t *data, size_t size, uint8_t *out, size_t capacity, size_t *decoded) {
    tl_cobs_decoder decoder;
    tl_cobs_decoder_reset(&decoder);
    for (size_t i = 0; i < size; ++i) {
        tl_cobs_decoder_push(&decoder, data[i], out, capacity);
    }
    *decoded = decoder.size;
    return (int)tl_cobs_decoder_end(&decoder);
}

/* Feeds `data`; appends every delivered payload to `out` as one byte of size and the payload. Returns bytes in `out`.
 */
size_t host_receive(tl_frame_receiver *receiver, const uint8_t *data, size_t size, uint8_t *out) {
    size_t used = 0;
    for (size_t i = 0; i < size; ++i) {
        const size_t payload = tl_frame_receive(receiver, data[i]);
        if (payload > 0) {
            out[used++] = (uint8_t)payload;
            for (size_t k = 0; k < payload; ++k) {
                out[used++] = receiver->buffer[k];
            }
        }
    }
    return used;
}

void host_receiver_counters(const tl_frame_receiver *receiver, uint32_t counters[5]) {
    counters[0] = receiver->frames;
    counters[1] = receiver->bad_crc;
    counters[2] = receiver->bad_cobs;
    counters[3] = receiver->too_long;
    counters[4] = receiver->too_short;
}

void host_queue_counters(const tl_txqueue *queue, uint32_t counters[7]) {
    for (int i = 0; i < 2; ++i) {
        counters[i] = queue->queued[i];
        counters[2 + i] = queue->dropped[i];
        counters[4 + i] = queue->sent[i];
    }
    counters[6] = queue->sequence;
}
