/* One step of the recognizer, with the firmware's own core and engine. */
#include "bench/bench.h"

#include <stddef.h>
#include <string.h>

#include "board_config.h"
#include "core/recognizer.h"
#include "core/sha256.h"

#define ENGINE_STATUS 256

typedef struct {
    int16_t code[TL_CHANNELS];
    uint32_t delta_us; /* since the sample before */
} bench_input;

_Static_assert(sizeof(bench_input) == TL_BENCH_INPUT_BYTES, "toolchain/bench/recognizer.py writes it");

/* data.S */
extern const uint8_t bench_model_image[], bench_model_image_end[];
extern const bench_input bench_inputs[];

/* RAM of the recognizer. */
tl_model bench_model;
tl_recognizer bench_recognizer;
#ifdef TL_BENCH_WEIGHTS_IN_RAM
uint32_t bench_weights[(TL_KERN_BYTES + 3) / 4] __attribute__((aligned(16)));
#endif

/* The bench's own, not counted. */
tl_step_result bench_result;
uint32_t bench_next;
uint64_t bench_now_us;

/* Names for parts of the two structures, so that they can be read without their layout. */
__attribute__((used, noinline)) static void name_results(void) {
    __asm__ volatile(".global bench_state, bench_logits\n\t"
                     ".type bench_state, %%object\n\t"
                     ".size bench_state, %c1\n\t"
                     ".set bench_state, bench_recognizer + %c0\n\t"
                     ".type bench_logits, %%object\n\t"
                     ".size bench_logits, %c3\n\t"
                     ".set bench_logits, bench_result + %c2"
                     :
                     : "i"(offsetof(tl_recognizer, state)), "i"(TL_STATES * sizeof(float)),
                       "i"(offsetof(tl_step_result, y)), "i"(TL_OUTPUTS));
}

static uint32_t image_bytes(void) {
    return (uint32_t)(bench_model_image_end - bench_model_image);
}

int bench_setup(void) {
    const tl_model_status opened =
        tl_model_open(&bench_model, bench_model_image, image_bytes(), TL_BOARD_IMU_ACC_LSB, TL_BOARD_IMU_GYRO_LSB);
    if (opened != TL_MODEL_OK) {
        return (int)opened;
    }
#ifdef TL_BENCH_WEIGHTS_IN_RAM
    const uint32_t *from = (const uint32_t *)(const void *)bench_model.kernels;
    for (uint32_t i = 0; i < TL_KERN_BYTES / 4; ++i) {
        bench_weights[i] = from[i];
    }
    bench_model.kernels = (const uint8_t *)bench_weights;
#endif
    const tl_engine_status started = tl_recognizer_init(&bench_recognizer, &bench_model);
    if (started != TL_ENGINE_OK) {
        return ENGINE_STATUS + (int)started;
    }
    /* As if a sample had just passed at rest: a first sample resets the state, which is no step like the others. */
    bench_recognizer.started = true;
    bench_next = 0;
    bench_now_us = 0;
    return 0;
}

int bench_step(void) {
    const bench_input *input = bench_inputs + bench_next;
    bench_next = bench_next + 1 < bench_count ? bench_next + 1 : 0;
    bench_now_us += input->delta_us;
    return (int)tl_recognizer_advance(&bench_recognizer, input->code, bench_now_us, &bench_result);
}

int bench_hash(void) {
    tl_sha256 sha;
    uint8_t digest[TL_SHA256_BYTES];
    tl_sha256_init(&sha);
    const uint32_t end = image_bytes() - TL_SHA256_BYTES;
    tl_sha256_update(&sha, bench_model_image, end);
    tl_sha256_final(&sha, digest);
    const uint32_t *kept = (const uint32_t *)(const void *)(bench_model_image + end);
    uint32_t different = 0;
    for (uint32_t i = 0; i < TL_SHA256_BYTES / 4; ++i) {
        uint32_t word;
        memcpy(&word, digest + 4 * i, sizeof word);
        different |= word ^ kept[i];
    }
    return different != 0;
}
