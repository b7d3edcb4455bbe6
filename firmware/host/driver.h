/* The recognizer as a shared library for the host: whole recordings in one call (toolchain/codegen/hostlib.py). */
#ifndef TL_HOST_DRIVER_H
#define TL_HOST_DRIVER_H

#include <stddef.h>
#include <stdint.h>

#include "core/recognizer.h"

typedef struct {
    tl_model model;
    tl_recognizer recognizer;
} tl_host;

/* Arrays with one row per sample: x_q has TL_INPUTS columns, y TL_OUTPUTS, state TL_STATES (state may be NULL). */
typedef struct {
    int8_t *x_q;
    int8_t *y;
    uint8_t *winner;
    int32_t *margin;
    uint8_t *fired;
    uint32_t *state_crc;
    uint32_t *delta_us;
    uint8_t *reset;
    float *state;
} tl_host_trace;

/* The shape that the library was compiled for. */
extern const uint32_t tl_host_channels;
extern const uint32_t tl_host_inputs;
extern const uint32_t tl_host_states;
extern const uint32_t tl_host_outputs;

/* Bytes of a tl_host, for the caller to reserve. */
size_t tl_host_bytes(void);

/* Opens the image and starts the recognizer. Returns the model's status, or 256 + the engine's. */
int tl_host_open(tl_host *host, const uint8_t *image, uint32_t capacity, float acc_lsb, float gyro_lsb);

/* Runs n samples; returns how many went well before the first engine error. */
size_t tl_host_run(tl_host *host, size_t n, const int16_t *codes, const uint64_t *t_us, const tl_host_trace *trace);

uint32_t tl_host_gap_resets(const tl_host *host);
uint32_t tl_host_engine_errors(const tl_host *host);
void tl_host_reset(tl_host *host);

#ifdef TL_HOST_CALLBACK
/* Gives the `callback` engine its right-hand side. */
void tl_host_set_callback(tl_host *host, tl_rhs_callback rhs);
#endif

#endif
