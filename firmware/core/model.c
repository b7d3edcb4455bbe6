#include "core/model.h"

#include <stdbool.h>
#include <string.h>

#include "core/sha256.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "The model image is read in place: little-endian only."
#endif

#define HEADER_BYTES 128u
#define ENTRY_BYTES 12u
#define SECTIONS_MAX 16u
#define SECTION_ALIGNMENT 16u
#define LAYERS_MAX 8u
#define LABEL_BYTES_MAX 31u
#define MULTIPLIER_MAX 32767
#define DT_MAX_US_LIMIT (1u << 24)
#define SMOOTHING_LIMIT (1u << 20)
#define TIME_LIMIT (1u << 30)
#define THRESHOLD_LIMIT (1 << 24)
#define FORMAT_VERSION 3u

/* The bits of 2^-63 and of 1. */
#define RATE_UNIT_MIN_BITS 0x20000000u
#define RATE_UNIT_MAX_BITS 0x3F800000u

/* The largest dt * r that the integers of the semi-implicit solver hold, for whatever is in the rate table. */
#define COUNTED_UP_TO 510.0f

/* Offsets of the header's fields (docs/SPEC.md, 4). */
enum {
    AT_VERSION = 8,
    AT_HEADER_SIZE = 10,
    AT_TOTAL_SIZE = 12,
    AT_TOPOLOGY = 16,
    AT_INPUTS = 24,
    AT_LAYERS = 26,
    AT_OUTPUTS = 28,
    AT_KIND = 30,
    AT_UNITS = 32,
    AT_RATE_HZ = 48,
    AT_INV_SCALE = 52,
    AT_DT_PER_US = 56,
    AT_DT_MAX_US = 60,
    AT_PERIOD_US = 64,
    AT_ACC_LSB = 68,
    AT_GYRO_LSB = 72,
    AT_SECTIONS = 76,
    AT_RATE_UNIT = 80,
    AT_RESERVED = 84
};

static const uint8_t magic[8] = {'T', 'L', 'T', 'C', 'M', 'D', 'L', '1'};
static const uint8_t topology_hash[8] = TL_TOPOLOGY_HASH;

/* Sections that are known; the place of each in the array of what was found. */
enum { PREPARE, RATES, DECISION, LABELS, KERNELS, TFLITE, KNOWN };
static const char tags[KNOWN][4] = {
    {'P', 'R', 'E', 'P'}, {'T', 'A', 'U', 'R'}, {'D', 'E', 'C', 'I'},
    {'L', 'A', 'B', 'L'}, {'K', 'E', 'R', 'N'}, {'T', 'F', 'L', 'T'},
};

typedef struct {
    const uint8_t *bytes; /* NULL: not in the image */
    uint32_t size;
} section;

static uint32_t read_u16(const uint8_t *at) {
    uint16_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static uint32_t read_u32(const uint8_t *at) {
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static float read_f32(const uint8_t *at) {
    float value;
    memcpy(&value, at, sizeof value);
    return value;
}

/* `n` is a multiple of 4. */
static bool same_bytes(const uint8_t *a, const uint8_t *b, unsigned n) {
    uint32_t different = 0;
    for (unsigned i = 0; i < n; i += 4u) {
        different |= read_u32(a + i) ^ read_u32(b + i);
    }
    return different == 0u;
}

/* Finite and greater than zero, by its bits: no NaN is ever compared. */
static bool is_positive(const uint8_t *at) {
    const uint32_t bits = read_u32(at);
    return bits > 0u && bits < 0x7F800000u;
}

static bool is_erased(const uint8_t *image, uint32_t capacity) {
    for (uint32_t i = 0; i < capacity; ++i) {
        if (image[i] != 0xFFu) {
            return false;
        }
    }
    return true;
}

static bool hash_matches(const uint8_t *image, uint32_t total) {
    tl_sha256 sha;
    uint8_t digest[TL_SHA256_BYTES];
    tl_sha256_init(&sha);
    tl_sha256_update(&sha, image, total - TL_SHA256_BYTES);
    tl_sha256_final(&sha, digest);
    return same_bytes(digest, image + total - TL_SHA256_BYTES, TL_SHA256_BYTES);
}

/* Whether an entry before this one has its tag. */
static bool is_repeated(const uint8_t *image, const uint8_t *entry) {
    for (const uint8_t *other = image + HEADER_BYTES; other < entry; other += ENTRY_BYTES) {
        if (read_u32(other) == read_u32(entry)) {
            return true;
        }
    }
    return false;
}

/* Every entry lies between the table and the hash, on its alignment, after the one before it, and has a new tag. */
static bool find_sections(const uint8_t *image, uint32_t end, section found[KNOWN]) {
    const uint32_t count = read_u32(image + AT_SECTIONS);
    if (count < 1u || count > SECTIONS_MAX || HEADER_BYTES + ENTRY_BYTES * count > end) {
        return false;
    }
    uint32_t free_from = HEADER_BYTES + ENTRY_BYTES * count;
    unsigned next = 0; /* the known one behind the last, which most images have next */
    for (uint32_t i = 0; i < count; ++i) {
        const uint8_t *entry = image + HEADER_BYTES + ENTRY_BYTES * i;
        const uint32_t tag = read_u32(entry);
        const uint32_t offset = read_u32(entry + 4);
        const uint32_t size = read_u32(entry + 8);
        if (offset % SECTION_ALIGNMENT != 0u || offset < free_from || offset > end || size > end - offset) {
            return false;
        }
        free_from = offset + size;
        unsigned left = KNOWN;
        while (left > 0u && read_u32((const uint8_t *)tags[next]) != tag) {
            next = next + 1u < KNOWN ? next + 1u : 0u;
            --left;
        }
        if (left > 0u ? found[next].bytes != NULL : is_repeated(image, entry)) {
            return false;
        }
        if (left > 0u) {
            found[next] = (section){.bytes = image + offset, .size = size};
            next = next + 1u < KNOWN ? next + 1u : 0u;
        }
    }
    return true;
}

/* Exactly TL_OUTPUTS strings, each ended by a NUL within LABEL_BYTES_MAX + 1 bytes, and nothing after them. */
static bool read_labels(section labels, const char *label[TL_OUTPUTS]) {
    const uint8_t *at = labels.bytes;
    const uint8_t *const end = at + labels.size;
    for (unsigned i = 0; i < TL_OUTPUTS; ++i) {
        const uint8_t *const limit = end - at < (ptrdiff_t)LABEL_BYTES_MAX + 1 ? end : at + LABEL_BYTES_MAX + 1;
        label[i] = (const char *)at;
        do {
            if (at == limit) {
                return false;
            }
        } while (*at++ != 0u);
    }
    return at == end;
}

static bool read_sections(tl_model *model, const uint8_t *image, uint32_t end) {
    section found[KNOWN];
    for (unsigned k = 0; k < KNOWN; ++k) {
        found[k] = (section){.bytes = NULL, .size = 0};
    }
    if (!find_sections(image, end, found)) {
        return false;
    }
    /* A section that is not there has size 0. */
    if (found[PREPARE].size != 4u * TL_INPUTS || found[RATES].size != 512u * TL_RATE_TABLES ||
        found[DECISION].size != sizeof model->decision || !found[LABELS].bytes) {
        return false;
    }
    const section kernels = found[KERNELS], tflite = found[TFLITE];
    if ((!kernels.bytes && !tflite.bytes) || (kernels.bytes && kernels.size != TL_KERN_BYTES)) {
        return false;
    }
    /* Sections are 16-byte aligned in an image that is itself aligned: these pointers are. */
    model->multiplier = (const int32_t *)(const void *)found[PREPARE].bytes;
    model->rate_table = (const int16_t *)(const void *)found[RATES].bytes;
    model->decision = *(const tl_decision_parameters *)(const void *)found[DECISION].bytes;
    model->kernels = kernels.bytes;
    model->kernels_size = kernels.size;
    model->tflite = tflite.bytes;
    model->tflite_size = tflite.size;
    return read_labels(found[LABELS], model->label);
}

static bool shape_matches(const uint8_t *image) {
    static const uint16_t units[TL_LAYERS] = TL_UNITS;
    if (read_u16(image + AT_INPUTS) != TL_INPUTS || read_u16(image + AT_LAYERS) != TL_LAYERS ||
        read_u16(image + AT_OUTPUTS) != TL_OUTPUTS || read_u16(image + AT_KIND) != TL_KIND) {
        return false;
    }
    for (unsigned i = 0; i < LAYERS_MAX; ++i) {
        if (read_u16(image + AT_UNITS + 2u * i) != (i < TL_LAYERS ? units[i] : 0u)) {
            return false;
        }
    }
    uint32_t reserved = 0;
#pragma GCC unroll 4
    for (unsigned i = AT_RESERVED; i < HEADER_BYTES; i += 4u) {
        reserved |= read_u32(image + i);
    }
    return reserved == 0u;
}

/* No state can grow without bound at the longest step, and no integer of the semi-implicit solver overflow. Rates need
 * no check of their own: whatever is in the table stands for one in (0, 2^16]. */
static bool solver_is_stable(const tl_model *model) {
    const uint32_t longest = model->dt_max_us > model->period_us ? model->dt_max_us : model->period_us;
    const float dt = (float)longest * model->dt_per_us;
#if defined(TL_SOLVER_SEMI_IMPLICIT)
    return dt * (model->rate_unit * 65536.0f) <= COUNTED_UP_TO;
#elif defined(TL_STABLE_UP_TO)
    for (unsigned i = 0; i < 256u * TL_RATE_TABLES; ++i) {
        if (dt * tl_rate(model->rate_table[i], model->rate_unit) > TL_STABLE_UP_TO) {
            return false;
        }
    }
    return true;
#else
    (void)dt;
    return true;
#endif
}

static bool read_fields(tl_model *model, const uint8_t *image) {
    if (!shape_matches(image) || !is_positive(image + AT_RATE_HZ) || !is_positive(image + AT_INV_SCALE) ||
        !is_positive(image + AT_DT_PER_US) || !is_positive(image + AT_ACC_LSB) || !is_positive(image + AT_GYRO_LSB)) {
        return false;
    }
    model->rate_hz = read_f32(image + AT_RATE_HZ);
    model->inv_scale = read_f32(image + AT_INV_SCALE);
    model->dt_per_us = read_f32(image + AT_DT_PER_US);
    model->dt_max_us = read_u32(image + AT_DT_MAX_US);
    model->period_us = read_u32(image + AT_PERIOD_US);
    model->rate_unit = read_f32(image + AT_RATE_UNIT);
    const uint32_t rate_unit = read_u32(image + AT_RATE_UNIT);
    /* With dt bounded like this no state can reach infinity, so no step can make a NaN. */
    if (model->dt_per_us > 1.0f || model->dt_max_us < 1u || model->dt_max_us >= DT_MAX_US_LIMIT ||
        model->period_us < 1u || model->period_us >= DT_MAX_US_LIMIT || rate_unit < RATE_UNIT_MIN_BITS ||
        rate_unit > RATE_UNIT_MAX_BITS) {
        return false;
    }
    for (unsigned c = 0; c < TL_INPUTS; ++c) {
        if (model->multiplier[c] < 1 || model->multiplier[c] > MULTIPLIER_MAX) {
            return false;
        }
    }
    if (!solver_is_stable(model)) {
        return false;
    }
    const tl_decision_parameters *decision = &model->decision;
    for (unsigned c = 0; c < TL_OUTPUTS; ++c) {
        if (decision->threshold[c] < 0 || decision->threshold[c] >= THRESHOLD_LIMIT) {
            return false;
        }
    }
    return decision->background >= -1 && decision->background < TL_OUTPUTS &&
           decision->smoothing_us < SMOOTHING_LIMIT && decision->confirm_us < TIME_LIMIT &&
           decision->warmup_us < TIME_LIMIT;
}

static bool same_bits(const uint8_t *at, float value) {
    return read_u32(at) == read_u32((const uint8_t *)&value);
}

tl_model_status tl_model_open(tl_model *model, const uint8_t *image, uint32_t capacity, float acc_lsb, float gyro_lsb) {
    if (capacity < HEADER_BYTES + TL_SHA256_BYTES) {
        return TL_MODEL_SIZE;
    }
    if (!same_bytes(image, magic, sizeof magic)) {
        return is_erased(image, capacity) ? TL_MODEL_ERASED : TL_MODEL_MAGIC;
    }
    if (read_u16(image + AT_VERSION) != FORMAT_VERSION) {
        return TL_MODEL_VERSION;
    }
    const uint32_t total = read_u32(image + AT_TOTAL_SIZE);
    if (read_u16(image + AT_HEADER_SIZE) != HEADER_BYTES || total % 4u != 0u ||
        total < HEADER_BYTES + TL_SHA256_BYTES || total > capacity) {
        return TL_MODEL_SIZE;
    }
    if (!hash_matches(image, total)) {
        return TL_MODEL_HASH;
    }
    if (!same_bytes(image + AT_TOPOLOGY, topology_hash, sizeof topology_hash)) {
        return TL_MODEL_TOPOLOGY;
    }
    if (!read_sections(model, image, total - TL_SHA256_BYTES)) {
        return TL_MODEL_SECTION;
    }
    if (!read_fields(model, image)) {
        return TL_MODEL_FIELD;
    }
    if (!same_bits(image + AT_ACC_LSB, acc_lsb) || !same_bits(image + AT_GYRO_LSB, gyro_lsb)) {
        return TL_MODEL_BOARD;
    }
    model->image = image;
    model->size = total;
    model->sha256 = image + total - TL_SHA256_BYTES;
    return TL_MODEL_OK;
}

const char *tl_model_status_text(tl_model_status status) {
    switch (status) {
    case TL_MODEL_OK:
        return "The model is sound.";
    case TL_MODEL_ERASED:
        return "The model slot is erased: write a model image.";
    case TL_MODEL_MAGIC:
        return "The model slot holds something that is not a model image.";
    case TL_MODEL_VERSION:
        return "The model image has a format that this firmware does not read.";
    case TL_MODEL_SIZE:
        return "The model image does not fit its slot: truncated, or not whole.";
    case TL_MODEL_HASH:
        return "The model image is damaged: its SHA-256 differs.";
    case TL_MODEL_TOPOLOGY:
        return "The model image was made for another network shape than this firmware.";
    case TL_MODEL_SECTION:
        return "A section of the model image is missing, misplaced or of a wrong size.";
    case TL_MODEL_FIELD:
        return "A value in the model image is out of range.";
    case TL_MODEL_BOARD:
        return "The model was trained for another range of the inertial sensor.";
    }
    return "The model image has an unknown fault.";
}
