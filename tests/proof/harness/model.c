/* The model image's reader (core/model.h).
 *
 * Proven: for any bytes and any capacity, tl_model_open reads nothing outside the image, and what it accepts is inside
 * the ranges that the other proofs assume, with every pointer inside the image.
 * Bounds: images of at most MODEL_BYTES, room for every section of the generated topology.h at its smallest and some
 * more; loops over tables, sections and labels are unrolled to their ends.
 * Assumed: the hash says anything (any digest), so a right hash protects nothing here; sha256.c proves its code. */
#include "core/model.h"
#include "core/sha256.h"
#include "proof.h"

#include <string.h>

/* Header, a table of four entries, the sections, padding, hash. */
#ifndef MODEL_BYTES
#define MODEL_BYTES (128u + 4u * 12u + 4u * TL_INPUTS + 512u * TL_RATE_TABLES + 20u + 36u * TL_OUTPUTS + TL_KERN_BYTES + 128u)
#endif

void tl_sha256_init(tl_sha256 *sha) {
    (void)sha;
}

void tl_sha256_update(tl_sha256 *sha, const void *data, size_t n) {
    (void)sha;
    prove(__CPROVER_r_ok(data, n), "the hash is of bytes that are there");
}

void tl_sha256_final(tl_sha256 *sha, uint8_t digest[TL_SHA256_BYTES]) {
    (void)sha;
    for (unsigned i = 0; i < TL_SHA256_BYTES; ++i) {
        uint8_t byte;
        digest[i] = byte;
    }
}

static bool holds(const uint8_t *image, uint32_t size, const void *part, size_t bytes) {
    const size_t at = (size_t)((const uint8_t *)part - image);
    return __CPROVER_same_object(part, image) && at <= size && bytes <= size - at;
}

void proof_open(void) {
    tl_model model;
    uint32_t capacity;
    float acc_lsb, gyro_lsb;
    assume(capacity <= MODEL_BYTES);
    const uint8_t *image = any_bytes(capacity);
    if (tl_model_open(&model, image, capacity, acc_lsb, gyro_lsb) != TL_MODEL_OK) {
        return;
    }
    prove(model.size <= capacity, "the image lies in its slot");
    prove(holds(image, capacity, model.multiplier, 4u * TL_INPUTS), "PREP lies in the image");
    prove(holds(image, capacity, model.rate_table, 512u * TL_RATE_TABLES), "TAUR lies in the image");
    prove(!model.kernels || holds(image, capacity, model.kernels, TL_KERN_BYTES), "KERN lies in the image");
    prove(!model.tflite || holds(image, capacity, model.tflite, model.tflite_size), "TFLT lies in the image");
    prove(model.kernels || model.tflite, "there are weights");
    prove(model.dt_max_us >= 1u && model.dt_max_us < (1u << 24), "dt_max_us");
    prove(model.period_us >= 1u && model.period_us < (1u << 24), "period_us");
    prove(model.decision.background >= -1 && model.decision.background < TL_OUTPUTS, "background");
    prove(model.decision.smoothing_us < (1u << 20), "smoothing_us");
    reached();
}
