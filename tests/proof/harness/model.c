/* The model image's reader (core/model.h).
 *
 * Proven by proof_open: for any bytes in a slot of MODEL_BYTES, tl_model_open reads nothing outside the slot, overflows
 * nothing, and what it accepts is inside the ranges that the other proofs assume, with every pointer inside the image.
 * Proven by proof_stable, proof_hash and proof_erased: the checks for which proof_open has stand-ins read only what they
 * are given.
 * Bounds: MODEL_BYTES is room for every section of the generated topology.h at its smallest and some more; the loops
 * over tables, sections and labels are unrolled to their ends. With MODEL_SECTIONS, only images with at most as many.
 * Assumed: the hash says anything (any digest), so a right hash protects nothing here; sha256.c proves its code. */
#include "core/model.c"
#include "core/sha256.h"
#include "proof.h"

/* Header, a table of five entries, the sections, padding, hash; a multiple of 16. */
#ifndef MODEL_BYTES
#define MODEL_BYTES                                                                                                    \
    ((128u + 5u * 12u + 4u * TL_INPUTS + 512u * TL_RATE_TABLES + 20u + 8u * TL_OUTPUTS + TL_KERN_BYTES + 32u + 5u * 16u) / \
     16u * 16u)
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
    __CPROVER_havoc_slice(digest, TL_SHA256_BYTES);
}

/* Stand-ins for static functions of model.c. */
uint32_t half_at(const uint8_t *at) {
    return (uint32_t)at[0] | (uint32_t)at[1] << 8;
}

uint32_t word_at(const uint8_t *at) {
    return half_at(at) | half_at(at + 2) << 16;
}

bool any_hash(const uint8_t *image, uint32_t total) {
    bool any;
    prove(total >= HEADER_BYTES + TL_SHA256_BYTES && __CPROVER_r_ok(image, total), "the hashed bytes lie in the slot");
    return any;
}

bool any_stable(const tl_model *model) {
    bool any;
    prove(__CPROVER_r_ok(model->rate_table, 512u * TL_RATE_TABLES), "the rates lie in the slot");
    return any;
}

bool any_erased(const uint8_t *image, uint32_t capacity) {
    bool any;
    prove(__CPROVER_r_ok(image, capacity), "the slot is there");
    return any;
}

void proof_stable(void) {
    int16_t rates[256u * TL_RATE_TABLES];
    tl_model model;
    model.rate_table = rates;
    assume(model.dt_max_us < (1u << 24) && model.period_us < (1u << 24));
    assume(model.dt_per_us > 0.0f && model.dt_per_us <= 1.0f);
    assume(model.rate_unit >= 0x1p-63f && model.rate_unit <= 1.0f);
    (void)solver_is_stable(&model);
    reached();
}

#define HASHED_BYTES (HEADER_BYTES + TL_SHA256_BYTES + 8u)
void proof_hash(void) {
    uint8_t image[HASHED_BYTES];
    uint32_t total;
    assume(total >= HEADER_BYTES + TL_SHA256_BYTES && total <= HASHED_BYTES);
    (void)hash_matches(image + (HASHED_BYTES - total), total);
    reached();
}

#define ERASED_BYTES 40u
void proof_erased(void) {
    uint8_t image[ERASED_BYTES];
    uint32_t capacity;
    assume(capacity <= ERASED_BYTES);
    (void)is_erased(image + (ERASED_BYTES - capacity), capacity);
    reached();
}

static bool holds(const uint8_t *image, uint32_t size, const void *part, size_t bytes) {
    const size_t at = (size_t)((const uint8_t *)part - image);
    return __CPROVER_same_object(part, image) && at <= size && bytes <= size - at;
}

void proof_open(void) {
    tl_model model;
    _Alignas(16) uint8_t image[MODEL_BYTES];
    const uint32_t capacity = MODEL_BYTES;
    float acc_lsb, gyro_lsb;
#if defined(MODEL_SECTIONS)
    assume(word_at(image + AT_SECTIONS) <= MODEL_SECTIONS);
#endif
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
