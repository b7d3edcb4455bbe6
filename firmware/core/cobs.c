#include "core/cobs.h"

#define FULL_BLOCK 0xFFu /* the code of 254 bytes with no zero after them */

void tl_cobs_begin(tl_cobs_encoder *encoder, uint8_t *out) {
    encoder->out = out;
    encoder->code_at = 0;
    encoder->size = 1;
}

static void close_block(tl_cobs_encoder *encoder) {
    encoder->out[encoder->code_at] = (uint8_t)(encoder->size - encoder->code_at);
    encoder->code_at = encoder->size;
    encoder->size += 1;
}

void tl_cobs_write(tl_cobs_encoder *encoder, const uint8_t *data, size_t size) {
    for (size_t i = 0; i < size; ++i) {
        /* A full block is closed only when a byte follows it: at the end it needs no successor. */
        if (encoder->size - encoder->code_at == FULL_BLOCK) {
            close_block(encoder);
        }
        if (data[i] == 0) {
            close_block(encoder);
        } else {
            encoder->out[encoder->size] = data[i];
            encoder->size += 1;
        }
    }
}

size_t tl_cobs_end(tl_cobs_encoder *encoder) {
    encoder->out[encoder->code_at] = (uint8_t)(encoder->size - encoder->code_at);
    return encoder->size;
}

void tl_cobs_decoder_reset(tl_cobs_decoder *decoder) {
    decoder->size = 0;
    decoder->code = 0;
    decoder->left = 0;
    decoder->overflow = false;
}

static void emit(tl_cobs_decoder *decoder, uint8_t byte, uint8_t *out, size_t capacity) {
    if (decoder->size < capacity) {
        out[decoder->size] = byte;
        decoder->size += 1;
    } else {
        decoder->overflow = true;
    }
}

void tl_cobs_decoder_push(tl_cobs_decoder *decoder, uint8_t byte, uint8_t *out, size_t capacity) {
    if (decoder->left > 0) {
        decoder->left -= 1;
        emit(decoder, byte, out, capacity);
        return;
    }
    /* A block other than a full one stands for its bytes and a zero; the last block's zero is not there. */
    if (decoder->code != 0 && decoder->code != FULL_BLOCK) {
        emit(decoder, 0, out, capacity);
    }
    decoder->code = byte;
    decoder->left = (uint8_t)(byte - 1u);
}

tl_cobs_status tl_cobs_decoder_end(const tl_cobs_decoder *decoder) {
    if (decoder->code == 0) {
        return TL_COBS_EMPTY;
    }
    if (decoder->overflow) {
        return TL_COBS_OVERFLOW;
    }
    return decoder->left > 0 ? TL_COBS_TRUNCATED : TL_COBS_OK;
}
