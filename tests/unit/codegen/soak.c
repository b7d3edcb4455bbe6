/* Drives the recognizer with a sound model through a long stream that no sensor gives: codes at their ends, stuck or
 * random; stamps that repeat, go back, leap by 2^63, or come a microsecond apart. Built with sanitizers: undefined
 * behaviour ends the program. After every step the invariants of docs/SPEC.md, 2 and 3, must hold.
 * Usage: soak image acc_lsb gyro_lsb samples seed (lsb as float32 bits). Prints steps, resets, commands. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/recognizer.h"

static uint64_t random_state;

/* xorshift64 (Marsaglia 2003). */
static uint32_t below(uint32_t limit) {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)(random_state >> 16) % limit;
}

static float bits_to_float(const char *text) {
    const uint32_t bits = (uint32_t)strtoul(text, NULL, 0);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void require(int holds, const char *what, unsigned long step) {
    if (!holds) {
        fprintf(stderr, "step %lu: %s\n", step, what);
        exit(1);
    }
}

static void next_codes(int16_t code[TL_CHANNELS], uint32_t mood) {
    for (unsigned c = 0; c < TL_CHANNELS; ++c) {
        if (mood == 0) {
            code[c] = below(2) ? INT16_MAX : INT16_MIN;
        } else if (mood == 1) {
            code[c] = (int16_t)((int32_t)below(65536u) - 32768);
        } else if (mood == 2) {
            code[c] = INT16_MIN;
        } else if (mood == 3) {
            code[c] = (int16_t)((int32_t)below(201u) - 100);
        } /* else stuck */
    }
}

static uint64_t next_stamp(uint64_t t_us, const tl_model *model) {
    switch (below(12)) {
    case 0:
        return t_us; /* repeated */
    case 1:
        return t_us - 1u - below(100000u); /* back, also below 0 */
    case 2:
        return t_us + model->dt_max_us; /* the longest that is no gap */
    case 3:
        return t_us + model->dt_max_us + 1u;
    case 4:
        return t_us + 1u;
    case 5:
        return t_us ^ (1ull << 63);
    case 6:
        return below(2) ? 0 : UINT64_MAX;
    default:
        return t_us + model->period_us;
    }
}

int main(int argc, char **argv) {
    if (argc != 6) {
        return 2;
    }
    FILE *file = fopen(argv[1], "rb");
    static uint8_t room[1 << 20];
    const uint32_t size = file ? (uint32_t)fread(room, 1, sizeof room, file) : 0;
    if (size == 0) {
        return 2;
    }
    fclose(file);
    uint8_t *image = malloc(size); /* of exactly its size, where a byte beyond it is caught */
    tl_recognizer *recognizer = malloc(sizeof *recognizer);
    tl_model *model = malloc(sizeof *model);
    if (!image || !recognizer || !model) {
        return 2;
    }
    memcpy(image, room, size);
    random_state = strtoull(argv[5], NULL, 10) * 0x9E3779B97F4A7C15u + 1u;
    if (tl_model_open(model, image, size, bits_to_float(argv[2]), bits_to_float(argv[3])) != TL_MODEL_OK ||
        tl_recognizer_init(recognizer, model) != TL_ENGINE_OK) {
        return 2;
    }
    const unsigned long steps = strtoul(argv[4], NULL, 10);
    unsigned long resets = 0, commands = 0;
    uint64_t t_us = 0, fired_us = 0;
    int16_t code[TL_CHANNELS] = {0};
    uint32_t mood = 0;
    for (unsigned long n = 0; n < steps; ++n) {
        if (below(50) == 0) {
            mood = below(5);
        }
        if (below(5000) == 0) {
            tl_recognizer_reset(recognizer);
        }
        next_codes(code, mood);
        const uint64_t last_us = t_us;
        t_us = below(4) ? t_us + model->period_us : next_stamp(t_us, model);
        tl_step_result result;
        require(tl_recognizer_step(recognizer, code, t_us, &result) == TL_ENGINE_OK, "the engine failed", n);
        const uint64_t delta = t_us - last_us;
        require(result.reset || delta == result.delta_us, "the interval is not that of the stamps", n);
        require(!result.reset || result.delta_us == model->period_us, "a reset takes one period", n);
        require(result.reset || (delta > 0 && delta <= model->dt_max_us), "a gap did not reset", n);
        require(result.decision.winner < TL_OUTPUTS && result.decision.margin >= 0, "no class won", n);
        for (unsigned i = 0; i < TL_STATES; ++i) {
            const float h = recognizer->state[i];
            require(h - h == 0.0f, "a state is no finite number", n);
        }
        resets += result.reset;
        if (result.decision.fired) {
            require(commands == 0 || t_us - fired_us >= model->decision.holdoff_us, "the hold-off was broken", n);
            require(result.decision.winner != model->decision.background, "the background fired", n);
            fired_us = t_us;
            ++commands;
        }
    }
    printf("%lu %lu %lu\n", steps, resets, commands);
    free(model);
    free(recognizer);
    free(image);
    return 0;
}
