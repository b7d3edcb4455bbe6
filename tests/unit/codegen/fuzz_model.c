/* Damages a good model image in random places, gives it a right hash, and opens it in memory of exactly its size; what
 * is accepted also runs. Prints how often each status came. Built with sanitizers: a bad access ends the program. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/recognizer.h"
#include "core/sha256.h"

static uint64_t random_state = 88172645463325252u;

/* xorshift64 (Marsaglia 2003). */
static uint32_t random_below(uint32_t limit) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 16) % limit;
}

static void seal(uint8_t *image, uint32_t size) {
    tl_sha256 sha;
    tl_sha256_init(&sha);
    tl_sha256_update(&sha, image, size - TL_SHA256_BYTES);
    tl_sha256_final(&sha, image + size - TL_SHA256_BYTES);
}

static float bits_to_float(const char *text) {
    const uint32_t bits = (uint32_t)strtoul(text, NULL, 0);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void run(const tl_model *model) {
    tl_recognizer *recognizer = malloc(sizeof *recognizer);
    if (recognizer && tl_recognizer_init(recognizer, model) == TL_ENGINE_OK) {
        uint64_t t_us = 5;
        for (unsigned i = 0; i < 40; ++i) {
            int16_t code[TL_CHANNELS];
            for (unsigned c = 0; c < TL_CHANNELS; ++c) {
                code[c] = (int16_t)(random_below(65536u) - 32768u);
            }
            tl_step_result result;
            t_us += random_below(10) == 0 ? 0x100000000u : random_below(20000u);
            (void)tl_recognizer_step(recognizer, code, t_us, &result);
            for (unsigned k = 0; k < TL_STATES; ++k) {
                if (!(recognizer->state[k] - recognizer->state[k] == 0.0f)) {
                    fprintf(stderr, "state %u is no finite number\n", k);
                    exit(1);
                }
            }
        }
    }
    free(recognizer);
}

/* Changes 1..4 places, most of them in header and section table, some to extreme values. */
static void damage(uint8_t *image, uint32_t size) {
    static const uint32_t extreme[] = {0u,          1u,          16u,         0x7F800000u, 0x7FFFFFFFu,
                                       0x80000000u, 0xFFFFFFF0u, 0xFFFFFFFFu, 0x7F7FFFFFu, 0x00000001u};
    for (uint32_t n = 1 + random_below(4); n > 0; --n) {
        const uint32_t reach = random_below(3) ? 260u : size - TL_SHA256_BYTES;
        const uint32_t at = random_below(reach - 4u);
        if (random_below(2)) {
            image[at] = (uint8_t)(image[at] ^ (1u << random_below(8)));
        } else {
            memcpy(image + (at & ~3u), &extreme[random_below(sizeof extreme / sizeof *extreme)], 4);
        }
    }
}

int main(int argc, char **argv) {
    if (argc != 5) {
        return 2;
    }
    FILE *file = fopen(argv[1], "rb");
    static uint8_t good[1 << 20];
    const uint32_t size = file ? (uint32_t)fread(good, 1, sizeof good, file) : 0;
    if (size == 0) {
        return 2;
    }
    fclose(file);
    const float acc_lsb = bits_to_float(argv[2]);
    const float gyro_lsb = bits_to_float(argv[3]);
    unsigned long counts[TL_MODEL_BOARD + 1] = {0};
    for (long left = atol(argv[4]); left > 0; --left) {
        const uint32_t kept = random_below(10) ? size : random_below(size);
        uint8_t *image = malloc(kept ? kept : 1);
        if (!image) {
            return 2;
        }
        memcpy(image, good, kept);
        if (kept == size && random_below(8)) {
            /* The first fields come before the hash; leave them alone mostly, so that the later checks are reached. */
            damage(image + 16, size - 16);
            if (random_below(10)) {
                seal(image, size);
            }
        } else if (kept > 300) {
            damage(image, kept);
        }
        tl_model model;
        const tl_model_status status = tl_model_open(&model, image, kept, acc_lsb, gyro_lsb);
        ++counts[status];
        if (status == TL_MODEL_OK) {
            run(&model);
        }
        free(image);
    }
    for (unsigned i = 0; i <= TL_MODEL_BOARD; ++i) {
        printf("%lu\n", counts[i]);
    }
    return 0;
}
