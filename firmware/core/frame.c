#include "core/frame.h"

#include <string.h>

#include "core/crc32.h"

size_t tl_frame_build(const uint8_t *payload, size_t size, uint8_t *out) {
    if (size < TL_PAYLOAD_MIN || size > TL_PAYLOAD_MAX) {
        return 0;
    }
    const uint32_t crc = tl_crc32(0, payload, size);
    const uint8_t tail[TL_FRAME_CRC] = {(uint8_t)crc, (uint8_t)(crc >> 8), (uint8_t)(crc >> 16), (uint8_t)(crc >> 24)};
    tl_cobs_encoder encoder;
    tl_cobs_begin(&encoder, out);
    tl_cobs_write(&encoder, payload, size);
    tl_cobs_write(&encoder, tail, sizeof tail);
    const size_t encoded = tl_cobs_end(&encoder);
    out[encoded] = 0;
    return encoded + 1;
}

void tl_frame_receiver_init(tl_frame_receiver *receiver) {
    memset(receiver, 0, sizeof *receiver);
}

static size_t finish(tl_frame_receiver *receiver) {
    const size_t size = receiver->cobs.size;
    switch (tl_cobs_decoder_end(&receiver->cobs)) {
    case TL_COBS_EMPTY: /* two delimiters in a row: a sender may flush the line with one */
        return 0;
    case TL_COBS_TRUNCATED:
        receiver->bad_cobs += 1;
        return 0;
    case TL_COBS_OVERFLOW:
        receiver->too_long += 1;
        return 0;
    case TL_COBS_OK:
    default:
        break;
    }
    if (size < TL_PAYLOAD_MIN + TL_FRAME_CRC) {
        receiver->too_short += 1;
        return 0;
    }
    const uint8_t *tail = &receiver->buffer[size - TL_FRAME_CRC];
    const uint32_t sent =
        (uint32_t)tail[0] | ((uint32_t)tail[1] << 8) | ((uint32_t)tail[2] << 16) | ((uint32_t)tail[3] << 24);
    if (tl_crc32(0, receiver->buffer, size - TL_FRAME_CRC) != sent) {
        receiver->bad_crc += 1;
        return 0;
    }
    receiver->frames += 1;
    return size - TL_FRAME_CRC;
}

size_t tl_frame_receive(tl_frame_receiver *receiver, uint8_t byte) {
    if (byte != 0) {
        tl_cobs_decoder_push(&receiver->cobs, byte, receiver->buffer, sizeof receiver->buffer);
        return 0;
    }
    const size_t size = finish(receiver);
    tl_cobs_decoder_reset(&receiver->cobs);
    return size;
}

uint32_t tl_frame_bad(const tl_frame_receiver *receiver) {
    return receiver->bad_crc + receiver->bad_cobs + receiver->too_long + receiver->too_short;
}
