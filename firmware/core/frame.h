/* Frames on the serial line (docs/SPEC.md, 5): COBS(payload + CRC-32) and a zero. */
#ifndef TL_CORE_FRAME_H
#define TL_CORE_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "core/cobs.h"

#define TL_PAYLOAD_MIN 12u  /* the header alone */
#define TL_PAYLOAD_MAX 240u /* with the CRC it stays below one COBS block, so the overhead is always one byte */
#define TL_FRAME_CRC 4u
#define TL_FRAME_MAX (TL_COBS_MAX(TL_PAYLOAD_MAX + TL_FRAME_CRC) + 1u) /* 246, delimiter included */

/* Writes the frame of `payload` to `out`, which must hold TL_FRAME_MAX bytes; returns its size with the delimiter.
 * 0 and nothing written when `size` is out of range. */
size_t tl_frame_build(const uint8_t *payload, size_t size, uint8_t *out);

/* Fed with the line's bytes one by one; keeps at most one frame. Bytes and wrong frames are never silent: every
 * stretch between two delimiters is either delivered or counted. One context only (no locking). */
typedef struct {
    uint8_t buffer[TL_PAYLOAD_MAX + TL_FRAME_CRC];
    tl_cobs_decoder cobs;
    uint32_t frames;    /* delivered */
    uint32_t bad_crc;   /* right length, wrong CRC */
    uint32_t bad_cobs;  /* the delimiter came inside a COBS block: bytes are missing */
    uint32_t too_long;  /* more than TL_PAYLOAD_MAX */
    uint32_t too_short; /* less than TL_PAYLOAD_MIN */
} tl_frame_receiver;

void tl_frame_receiver_init(tl_frame_receiver *receiver);

/* Takes one byte. Returns the size of the payload that it completed, which stands in `receiver->buffer` until the
 * next call, or 0. */
size_t tl_frame_receive(tl_frame_receiver *receiver, uint8_t byte);

/* All frames that were not delivered. */
uint32_t tl_frame_bad(const tl_frame_receiver *receiver);

#endif
