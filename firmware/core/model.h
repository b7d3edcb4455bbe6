/* The model image: checked once, then read in place (docs/SPEC.md, 4). No copy, no allocation. */
#ifndef TL_CORE_MODEL_H
#define TL_CORE_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "topology.h" /* generated: TL_INPUTS, TL_LAYERS, TL_STATES, TL_OUTPUTS, TL_TOPOLOGY_HASH, ... */

typedef enum {
    TL_MODEL_OK = 0,
    TL_MODEL_ERASED = 1,   /* the slot holds only 0xFF */
    TL_MODEL_MAGIC = 2,    /* not a model image */
    TL_MODEL_VERSION = 3,  /* an image format this firmware does not read */
    TL_MODEL_SIZE = 4,     /* sizes do not fit the slot or each other */
    TL_MODEL_HASH = 5,     /* SHA-256 differs: damaged or half written */
    TL_MODEL_TOPOLOGY = 6, /* made for other generated code */
    TL_MODEL_SECTION = 7,  /* a section is missing, misplaced or of a wrong size */
    TL_MODEL_FIELD = 8,    /* a value is out of range */
    TL_MODEL_BOARD = 9     /* trained for another IMU range */
} tl_model_status;

typedef struct {
    int32_t background;
    uint32_t smoothing_us;
    uint32_t confirm_us;
    uint32_t holdoff_us;
    uint32_t warmup_us;
    int32_t threshold[TL_OUTPUTS];
} tl_decision_parameters;

/* A checked view; every pointer lies inside the image. */
typedef struct {
    const uint8_t *image;
    uint32_t size;
    float rate_hz;
    float inv_scale;
    float dt_per_us;
    uint32_t dt_max_us;
    uint32_t period_us;
    const int32_t *multiplier; /* [TL_INPUTS] */
    float rate_unit;
    const int16_t *rate_table; /* [TL_RATE_TABLES][256], 1/tau in units, less TL_RATE_ZERO */
    tl_decision_parameters decision;
    const char *label[TL_OUTPUTS];
    const uint8_t *kernels; /* KERN, or NULL */
    uint32_t kernels_size;
    const uint8_t *tflite; /* TFLT, or NULL */
    uint32_t tflite_size;
    const uint8_t *sha256; /* the last 32 bytes of the image */
} tl_model;

#define TL_RATE_ZERO 32769

/* Where the rates of a layer lie, that of z = 0: all layers share one table where their z have one scale. */
static inline const int16_t *tl_rates_of(const int16_t *rate_table, unsigned layer) {
    return rate_table + (TL_RATE_TABLES == 1 ? 0u : 256u * layer) + 128u;
}

/* 1/tau from an entry; never 0, whatever the entry is, and exact, as the unit is a power of two. */
static inline float tl_rate(int16_t entry, float unit) {
    return (float)(entry + TL_RATE_ZERO) * unit;
}

/* Checks the image of at most `capacity` bytes at `image` (4-byte aligned) and fills `model`.
 * On anything but TL_MODEL_OK, `model` must not be used. */
tl_model_status tl_model_open(tl_model *model, const uint8_t *image, uint32_t capacity, float acc_lsb, float gyro_lsb);

/* One plain sentence per status, for the log message. */
const char *tl_model_status_text(tl_model_status status);

#endif
