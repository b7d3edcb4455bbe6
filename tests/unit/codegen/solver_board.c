/* A bare program for the virtual board: whole steps on stored samples, their states, logits and cycles. */
#include "start.h" /* tests/unit/emulator */

#include "core/crc32.h"
#include "core/recognizer.h"
#include "stored.h" /* written by the test: the model image, SAMPLES codes and stamps, the board's LSBs */

uint32_t status, spent[SAMPLES], state_crc[SAMPLES];
int8_t logits[SAMPLES][TL_OUTPUTS];
static tl_model model;
static tl_recognizer recognizer;

int main(void) {
    cyccnt_on();
    status = (uint32_t)tl_model_open(&model, stored_image, sizeof stored_image, ACC_LSB, GYRO_LSB);
    if (status != 0u) {
        return 1;
    }
    status = 256u + (uint32_t)tl_recognizer_init(&recognizer, &model);
    for (unsigned i = 0; i < SAMPLES; ++i) {
        tl_step_result result;
        const uint32_t start = CYCCNT;
        const tl_engine_status step = tl_recognizer_step(&recognizer, stored_codes[i], stored_stamps[i], &result);
        spent[i] = CYCCNT - start;
        status += (uint32_t)step;
        state_crc[i] = tl_crc32(0, recognizer.state, sizeof recognizer.state);
        for (unsigned k = 0; k < TL_OUTPUTS; ++k) {
            logits[i][k] = result.y[k];
        }
    }
    return 0;
}
