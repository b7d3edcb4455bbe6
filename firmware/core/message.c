#include "core/message.h"

#include <string.h>

static uint8_t *put8(uint8_t *at, uint8_t value) {
    *at = value;
    return at + 1;
}

static uint8_t *put16(uint8_t *at, uint16_t value) {
    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
    return at + 2;
}

static uint8_t *put32(uint8_t *at, uint32_t value) {
    return put16(put16(at, (uint16_t)value), (uint16_t)(value >> 16));
}

static uint8_t *put64(uint8_t *at, uint64_t value) {
    return put32(put32(at, (uint32_t)value), (uint32_t)(value >> 32));
}

/* At most `size` bytes of `text`, filled with NUL. */
static uint8_t *put_text(uint8_t *at, const char *text, size_t size) {
    size_t length = 0;
    while (length < size && text[length] != '\0') {
        length += 1;
    }
    memcpy(at, text, length);
    memset(at + length, 0, size - length);
    return at + size;
}

static uint8_t *put_header(uint8_t *payload, tl_kind kind, uint64_t time_us) {
    return put64(put16(put8(put8(payload, (uint8_t)kind), TL_MESSAGE_VERSION), 0), time_us);
}

static size_t size_of(const uint8_t *payload, const uint8_t *end) {
    return (size_t)(end - payload);
}

bool tl_message_is_command(uint8_t kind) {
    return kind == TL_KIND_DECISION || kind == TL_KIND_ACK;
}

void tl_message_set_sequence(uint8_t *payload, uint16_t sequence) {
    (void)put16(payload + 2, sequence);
}

uint16_t tl_message_sequence(const uint8_t *payload) {
    return (uint16_t)(payload[2] | (payload[3] << 8));
}

size_t tl_message_hello(uint8_t *payload, uint64_t time_us, const tl_hello *hello) {
    uint8_t *at = put_header(payload, TL_KIND_HELLO, time_us);
    at = put8(at, TL_PROTOCOL_VERSION);
    at = put8(at, hello->model_status);
    at = put8(at, hello->engine);
    at = put8(at, hello->imu_status);
    at = put_text(at, hello->board, 24);
    at = put_text(at, hello->firmware, 16);
    if (hello->model_sha256 != NULL) {
        memcpy(at, hello->model_sha256, 32);
    } else {
        memset(at, 0, 32);
    }
    at = put32(at + 32, hello->clock_hz);
    at = put32(at, hello->rate_mhz);
    at = put16(at, hello->inputs);
    at = put16(at, hello->outputs);
    at = put16(at, hello->states);
    at = put16(at, hello->engine_ram);
    return size_of(payload, at);
}

size_t tl_message_sample(uint8_t *payload, uint64_t time_us, uint32_t first_index, const uint64_t *stamp_us,
                         const int16_t *code, uint8_t count) {
    if (count == 0 || count > TL_SAMPLES_MAX) {
        return 0;
    }
    uint8_t *at = put_header(payload, TL_KIND_SAMPLE, time_us);
    at = put32(at, first_index);
    at = put8(at, count);
    for (uint32_t i = 0; i < count; ++i) {
        at = put32(at, (uint32_t)(time_us - stamp_us[i]));
        for (uint32_t c = 0; c < TL_MESSAGE_CHANNELS; ++c) {
            at = put16(at, (uint16_t)code[i * TL_MESSAGE_CHANNELS + c]);
        }
    }
    return size_of(payload, at);
}

size_t tl_message_step(uint8_t *payload, uint64_t time_us, const tl_step_message *step) {
    if (step->outputs > TL_STEP_OUTPUTS_MAX) {
        return 0;
    }
    uint8_t *at = put_header(payload, TL_KIND_STEP, time_us);
    at = put32(at, step->index);
    at = put32(at, step->delta_us);
    at = put8(at, (uint8_t)((step->reset ? 1u : 0u) | (step->fired ? 2u : 0u)));
    at = put8(at, step->winner);
    at = put32(at, (uint32_t)step->margin);
    at = put32(at, step->state_crc);
    at = put8(at, step->outputs);
    for (uint32_t i = 0; i < step->outputs; ++i) {
        at = put8(at, (uint8_t)step->y[i]);
    }
    return size_of(payload, at);
}

size_t tl_message_decision(uint8_t *payload, uint64_t time_us, uint32_t index, uint8_t winner, int32_t margin,
                           uint64_t stamp_us) {
    uint8_t *at = put_header(payload, TL_KIND_DECISION, time_us);
    at = put32(at, index);
    at = put8(at, winner);
    at = put32(at, (uint32_t)margin);
    at = put64(at, stamp_us);
    return size_of(payload, at);
}

size_t tl_message_timing(uint8_t *payload, uint64_t time_us, const tl_timing *timing) {
    uint8_t *at = put_header(payload, TL_KIND_TIMING, time_us);
    at = put32(at, timing->index);
    at = put32(at, timing->burst_us);
    for (uint32_t i = 0; i < 5; ++i) {
        at = put32(at, timing->cycles[i]);
    }
    at = put32(at, timing->decision_us);
    at = put32(at, timing->command_us);
    return size_of(payload, at);
}

size_t tl_message_health(uint8_t *payload, uint64_t time_us, const tl_health *health) {
    uint8_t *at = put_header(payload, TL_KIND_HEALTH, time_us);
    (void)put8(payload + 1, TL_HEALTH_VERSION);
    at = put32(at, health->samples);
    at = put32(at, health->overruns);
    at = put32(at, health->lost_samples);
    at = put32(at, health->imu_faults);
    at = put32(at, health->imu_restarts);
    at = put32(at, health->dropped_commands);
    at = put32(at, health->dropped_others);
    at = put32(at, health->gap_resets);
    at = put32(at, health->received_bad);
    at = put32(at, health->engine_errors);
    at = put32(at, health->stack_unused);
    at = put32(at, health->dwt_moves);
    at = put32(at, health->stuck);
    at = put32(at, health->odd_gravity);
    at = put32(at, health->odd_axes);
    at = put32(at, health->time_back);
    at = put32(at, health->state_faults);
    return size_of(payload, at);
}

size_t tl_message_log(uint8_t *payload, uint64_t time_us, tl_severity severity, const char *text) {
    uint8_t *at = put8(put_header(payload, TL_KIND_LOG, time_us), (uint8_t)severity);
    size_t length = 0;
    while (length < TL_LOG_TEXT_MAX && text[length] != '\0') {
        length += 1;
    }
    /* A cut inside a character would leave a byte 10xxxxxx as the first one not taken. */
    while (length > 0 && ((uint8_t)text[length] & 0xC0u) == 0x80u) {
        length -= 1;
    }
    memcpy(at, text, length);
    return size_of(payload, at + length);
}

size_t tl_message_ack(uint8_t *payload, uint64_t time_us, uint16_t answered, tl_ack_status status) {
    uint8_t *at = put_header(payload, TL_KIND_ACK, time_us);
    at = put16(at, answered);
    at = put8(at, (uint8_t)status);
    return size_of(payload, at);
}

size_t tl_message_firmware(uint8_t *payload, uint64_t time_us, uint32_t bytes, const uint8_t *sha256) {
    uint8_t *at = put_header(payload, TL_KIND_FIRMWARE, time_us);
    at = put32(at, bytes);
    memcpy(at, sha256, 32);
    return size_of(payload, at + 32);
}

tl_ack_status tl_request_decode(tl_request *request, const uint8_t *payload, size_t size) {
    memset(request, 0, sizeof *request);
    if (size < TL_HEADER_SIZE) {
        return TL_ACK_BAD_BODY;
    }
    const uint8_t *body = payload + TL_HEADER_SIZE;
    const size_t body_size = size - TL_HEADER_SIZE;
    request->kind = payload[0];
    request->sequence = tl_message_sequence(payload);
    if (payload[1] != TL_MESSAGE_VERSION) {
        return TL_ACK_UNKNOWN_KIND;
    }
    switch (request->kind) {
    case TL_KIND_GET_HELLO:
    case TL_KIND_GET_HEALTH:
    case TL_KIND_GET_FIRMWARE:
        return body_size == 0 ? TL_ACK_DONE : TL_ACK_BAD_BODY;
    case TL_KIND_SET_STREAMS:
        if (body_size != 1 || body[0] > (TL_STREAM_SAMPLE | TL_STREAM_STEP | TL_STREAM_TIMING)) {
            return TL_ACK_BAD_BODY;
        }
        request->stream_mask = body[0];
        return TL_ACK_DONE;
    case TL_KIND_PING:
        return body_size <= TL_PING_MAX ? TL_ACK_DONE : TL_ACK_BAD_BODY;
    default:
        return TL_ACK_UNKNOWN_KIND;
    }
}
