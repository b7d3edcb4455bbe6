/* Messages: the payloads of frames, in both directions, bit for bit as docs/SPEC.md, 5, gives them.
 *
 * Every encoder writes a whole payload (header and body) to `payload`, which must hold TL_PAYLOAD_MAX bytes, and
 * returns its size. The sequence number is left 0: tl_txqueue_put gives it. Nothing here knows a topology or a board.
 */
#ifndef TL_CORE_MESSAGE_H
#define TL_CORE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/frame.h"

#define TL_PROTOCOL_VERSION 1u
#define TL_HEADER_SIZE TL_PAYLOAD_MIN
#define TL_MESSAGE_VERSION 1u /* of every kind but HEALTH */
#define TL_HEALTH_VERSION 3u  /* version 1 ended with dwt_moves, 2 with odd_gravity */
#define TL_MESSAGE_CHANNELS 6u
#define TL_SAMPLES_MAX 9u
#define TL_STEP_OUTPUTS_MAX 32u
#define TL_LOG_TEXT_MAX (TL_PAYLOAD_MAX - TL_HEADER_SIZE - 1u)
#define TL_PING_MAX 32u

typedef enum {
    TL_KIND_HELLO = 1,
    TL_KIND_SAMPLE = 2,
    TL_KIND_STEP = 3,
    TL_KIND_DECISION = 4,
    TL_KIND_TIMING = 5,
    TL_KIND_HEALTH = 6,
    TL_KIND_LOG = 7,
    TL_KIND_ACK = 8,
    TL_KIND_FIRMWARE = 9,
    TL_KIND_GET_HELLO = 64,
    TL_KIND_GET_HEALTH = 65,
    TL_KIND_SET_STREAMS = 66,
    TL_KIND_PING = 67,
    TL_KIND_GET_FIRMWARE = 68
} tl_kind;

/* Whether a frame of this kind overtakes queued frames of the other kinds. Both ends must agree: the host tells a lost
 * frame from one that was overtaken by it. */
bool tl_message_is_command(uint8_t kind);

/* 16-bit number in the header of a payload of at least TL_HEADER_SIZE bytes. */
void tl_message_set_sequence(uint8_t *payload, uint16_t sequence);
uint16_t tl_message_sequence(const uint8_t *payload);

/* --- device to host ------------------------------------------------------------------------------------------- */

typedef struct {
    uint8_t model_status;        /* tl_model_status */
    uint8_t engine;              /* tl_engine_kind */
    uint8_t imu_status;          /* 0 running, 1 missing, 2 mute */
    const char *board;           /* cut at 24 bytes, filled with NUL */
    const char *firmware;        /* cut at 16 bytes, filled with NUL */
    const uint8_t *model_sha256; /* 32 bytes, or NULL without a model: zeros */
    uint32_t clock_hz;
    uint32_t rate_mhz; /* millihertz */
    uint16_t inputs;
    uint16_t outputs;
    uint16_t states;
    uint16_t engine_ram; /* bytes */
} tl_hello;

size_t tl_message_hello(uint8_t *payload, uint64_t time_us, const tl_hello *hello);

/* `stamp_us[i]` must not be later than `time_us` nor more than 2^32 - 1 us earlier. `code` is count * 6 codes, sample
 * after sample. 0 when `count` is not in 1..TL_SAMPLES_MAX. */
size_t tl_message_sample(uint8_t *payload, uint64_t time_us, uint32_t first_index, const uint64_t *stamp_us,
                         const int16_t *code, uint8_t count);

typedef struct {
    uint32_t index;
    uint32_t delta_us;
    bool reset;
    bool fired;
    uint8_t winner;
    int32_t margin;
    uint32_t state_crc; /* tl_crc32 of the state bits after the step */
    uint8_t outputs;    /* entries of y */
    const int8_t *y;
} tl_step_message;

/* 0 when `outputs` is more than TL_STEP_OUTPUTS_MAX. */
size_t tl_message_step(uint8_t *payload, uint64_t time_us, const tl_step_message *step);

size_t tl_message_decision(uint8_t *payload, uint64_t time_us, uint32_t index, uint8_t winner, int32_t margin,
                           uint64_t stamp_us);

typedef struct {
    uint32_t index;
    uint32_t burst_us;    /* data-ready to burst read */
    uint32_t cycles[5];   /* prepare, right-hand side, solver, decision, transmit set-up */
    uint32_t decision_us; /* data-ready to decision made */
    uint32_t command_us;  /* data-ready to the command's last bit; 0: no command */
} tl_timing;

size_t tl_message_timing(uint8_t *payload, uint64_t time_us, const tl_timing *timing);

typedef struct {
    uint32_t samples;
    uint32_t overruns;
    uint32_t lost_samples;
    uint32_t imu_faults;
    uint32_t imu_restarts;
    uint32_t dropped_commands;
    uint32_t dropped_others;
    uint32_t gap_resets;
    uint32_t received_bad;
    uint32_t engine_errors;
    uint32_t stack_unused; /* bytes never used */
    uint32_t dwt_moves;    /* 1: the cycle counter moves */
    uint32_t stuck;        /* channels found stuck */
    uint32_t odd_gravity;  /* times that gravity was found implausible */
    uint32_t odd_axes;     /* times that the sensor's axes were found mirrored */
    uint32_t time_back;    /* stamps before the one before them */
    uint32_t state_faults; /* times that a state was no number */
} tl_health;

size_t tl_message_health(uint8_t *payload, uint64_t time_us, const tl_health *health);

typedef enum { TL_LOG_INFO = 0, TL_LOG_WARNING = 1, TL_LOG_ERROR = 2 } tl_severity;

/* NUL-terminated UTF-8; text beyond TL_LOG_TEXT_MAX bytes is cut between two characters. */
size_t tl_message_log(uint8_t *payload, uint64_t time_us, tl_severity severity, const char *text);

typedef enum { TL_ACK_DONE = 0, TL_ACK_UNKNOWN_KIND = 1, TL_ACK_BAD_BODY = 2, TL_ACK_NOT_NOW = 3 } tl_ack_status;

size_t tl_message_ack(uint8_t *payload, uint64_t time_us, uint16_t answered, tl_ack_status status);

/* `sha256`: 32 bytes, of the `bytes` that the firmware has in flash. */
size_t tl_message_firmware(uint8_t *payload, uint64_t time_us, uint32_t bytes, const uint8_t *sha256);

/* --- host to device ------------------------------------------------------------------------------------------- */

#define TL_STREAM_SAMPLE 1u
#define TL_STREAM_STEP 2u
#define TL_STREAM_TIMING 4u

typedef struct {
    uint8_t kind;        /* TL_KIND_GET_HELLO .. TL_KIND_GET_FIRMWARE when TL_ACK_DONE was returned */
    uint16_t sequence;   /* to be answered */
    uint8_t stream_mask; /* of SET_STREAMS, else 0 */
} tl_request;

/* Reads a payload that tl_frame_receive delivered. TL_ACK_DONE: `request` is whole. TL_ACK_UNKNOWN_KIND (kind or
 * version) and TL_ACK_BAD_BODY (length or value): do nothing but count it and answer with this status; `kind` and
 * `sequence` are set. */
tl_ack_status tl_request_decode(tl_request *request, const uint8_t *payload, size_t size);

#endif
