/* The frame decoder: COBS, CRC, message (core/cobs.h, core/frame.h, core/message.h).
 *
 * Proven: from every state that a receiver can be in (the decoder's counters and the 244 bytes of its buffer are any;
 * `cobs.size` is at most the buffer's size), any byte leaves such a state, touches nothing outside the receiver, and is
 * answered with 0 or a payload's size; a delimiter counts the stretch that it ends exactly once. By induction that holds
 * for every stream, of any length. A request is read from a payload of any size and content without touching a byte
 * beyond it. The encoder, fed with any byte in any state that it can be in, never needs more than TL_COBS_MAX; a whole
 * frame fits in TL_FRAME_MAX.
 * Bounds: decoder, receiver and request: none. Encoder: up to 1,024 bytes written before; whole
 * frames: payloads of up to FRAME_PAYLOAD bytes.
 * Assumed: tl_crc32 reads n bytes and returns something (crc32.c proves the first). */
#include "core/crc32.h"
#include "core/frame.h"
#include "core/message.h"
#include "proof.h"

uint32_t tl_crc32(uint32_t crc, const void *data, size_t n) {
    uint32_t any;
    (void)crc;
    prove(n == 0u || __CPROVER_r_ok(data, n), "the CRC is of bytes that are there");
    return any;
}

void proof_cobs_push(void) {
    tl_cobs_decoder decoder;
    size_t capacity;
    uint8_t byte;
    assume(capacity <= 1024u && decoder.size <= capacity && byte != 0u);
    const size_t size = decoder.size;
    tl_cobs_decoder_push(&decoder, byte, any_bytes(capacity), capacity);
    prove(decoder.size <= capacity, "the decoder stays inside its buffer");
    prove(decoder.size == size || decoder.size == size + 1u, "a byte gives at most a byte");
    reached();
}

void proof_receive(void) {
    tl_frame_receiver receiver;
    uint8_t byte;
    assume(receiver.cobs.size <= sizeof receiver.buffer);
    const tl_frame_receiver before = receiver;
    const bool empty = receiver.cobs.code == 0u;
    const size_t size = tl_frame_receive(&receiver, byte);
    prove(receiver.cobs.size <= sizeof receiver.buffer, "a state that a receiver can be in");
    prove(size == 0u || (size >= TL_PAYLOAD_MIN && size <= TL_PAYLOAD_MAX), "nothing or a payload's size");
    unsigned counted = 0;
    counted += receiver.frames == before.frames + 1u;
    counted += receiver.bad_crc == before.bad_crc + 1u;
    counted += receiver.bad_cobs == before.bad_cobs + 1u;
    counted += receiver.too_long == before.too_long + 1u;
    counted += receiver.too_short == before.too_short + 1u;
    prove(counted == (byte == 0u && !empty ? 1u : 0u), "every stretch is delivered or counted, once");
    prove((size != 0u) == (receiver.frames != before.frames), "what is delivered is counted as delivered");
    reached();
}

void proof_request(void) {
    tl_request request;
    size_t size;
    assume(size <= TL_PAYLOAD_MAX);
    const tl_ack_status status = tl_request_decode(&request, any_bytes(size), size);
    prove(status != TL_ACK_NOT_NOW, "the decoder knows nothing of the moment");
    prove(request.stream_mask <= 7u && (status == TL_ACK_DONE || request.stream_mask == 0u), "only known streams");
    reached();
}

#define ENCODED 1024u
void proof_cobs_write(void) {
    /* An encoder that was given n bytes and closed `full` blocks of 254: size = 1 + n + full, and each byte since the
     * last code byte is one of the n. */
    uint32_t n, full, open;
    uint8_t byte;
    assume(n <= ENCODED && full <= ENCODED / 254u && open >= 1u && open <= 255u && 254u * full + (open - 1u) <= n);
    tl_cobs_encoder encoder = {.size = 1u + n + full};
    assume(open <= encoder.size);
    encoder.code_at = encoder.size - open;
    encoder.out = any_bytes(TL_COBS_MAX(n + 1u));
    tl_cobs_write(&encoder, &byte, 1u);
    const size_t closed = encoder.size - 1u - (n + 1u);
    const size_t left = encoder.size - encoder.code_at;
    prove(left >= 1u && left <= 255u && 254u * closed + (left - 1u) <= n + 1u, "a state that an encoder can be in");
    prove(encoder.size <= TL_COBS_MAX(n + 1u), "no more than TL_COBS_MAX");
    prove(tl_cobs_end(&encoder) == encoder.size, "the end writes only the code byte");
    reached();
}

#ifndef FRAME_PAYLOAD
#define FRAME_PAYLOAD 13u
#endif
void proof_build(void) {
    size_t size;
    assume(size <= FRAME_PAYLOAD);
    uint8_t out[TL_FRAME_MAX];
    const size_t length = tl_frame_build(any_bytes(size), size, out);
    prove(length <= TL_FRAME_MAX && (length == 0u) == (size < TL_PAYLOAD_MIN), "a frame or nothing");
    prove(length == 0u || length == size + TL_FRAME_CRC + 2u, "one byte of overhead and the delimiter");
    reached();
}
