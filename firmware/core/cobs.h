/* Consistent Overhead Byte Stuffing (Cheshire and Baker, IEEE/ACM Transactions on Networking 7(2), 1999):
 * bytes without a zero, so that a zero can end a frame. The encoding of a block that ends with 254 bytes other than
 * zero has no code byte after it. Nothing here writes the delimiter. */
#ifndef TL_CORE_COBS_H
#define TL_CORE_COBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The most bytes that `size` bytes can become. */
#define TL_COBS_MAX(size) ((size) + ((size) / 254u) + 1u)

/* The encoder takes its input in as many pieces as there are. */
typedef struct {
    uint8_t *out;
    size_t code_at; /* where the code byte of the open block will stand */
    size_t size;
} tl_cobs_encoder;

/* `out` must hold TL_COBS_MAX(all bytes that will be written). */
void tl_cobs_begin(tl_cobs_encoder *encoder, uint8_t *out);
void tl_cobs_write(tl_cobs_encoder *encoder, const uint8_t *data, size_t size);

/* Closes the last block; returns the number of encoded bytes. */
size_t tl_cobs_end(tl_cobs_encoder *encoder);

typedef enum {
    TL_COBS_OK = 0,
    TL_COBS_EMPTY = 1,     /* nothing stood before the delimiter */
    TL_COBS_TRUNCATED = 2, /* the delimiter came inside a block */
    TL_COBS_OVERFLOW = 3   /* more bytes than the buffer holds; the first `capacity` are in it */
} tl_cobs_status;

/* The decoder takes one byte at a time and never writes beyond `capacity`. */
typedef struct {
    size_t size; /* decoded bytes so far */
    uint8_t code;
    uint8_t left; /* bytes until the next code byte */
    bool overflow;
} tl_cobs_decoder;

void tl_cobs_decoder_reset(tl_cobs_decoder *decoder);

/* `byte` must not be the delimiter. `out` and `capacity` must be the same from reset to end. */
void tl_cobs_decoder_push(tl_cobs_decoder *decoder, uint8_t byte, uint8_t *out, size_t capacity);

/* What stood before the delimiter. Leaves the decoder as it is: reset it before the next frame. */
tl_cobs_status tl_cobs_decoder_end(const tl_cobs_decoder *decoder);

#endif
