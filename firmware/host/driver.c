#include "host/driver.h"

#include <string.h>

#include "core/crc32.h"
#include "core/prepare.h"

const uint32_t tl_host_channels = TL_CHANNELS;
const uint32_t tl_host_inputs = TL_INPUTS;
const uint32_t tl_host_states = TL_STATES;
const uint32_t tl_host_outputs = TL_OUTPUTS;

size_t tl_host_bytes(void) {
    return sizeof(tl_host);
}

int tl_host_open(tl_host *host, const uint8_t *image, uint32_t capacity, float acc_lsb, float gyro_lsb) {
    const tl_model_status status = tl_model_open(&host->model, image, capacity, acc_lsb, gyro_lsb);
    if (status != TL_MODEL_OK) {
        return (int)status;
    }
    const tl_engine_status engine = tl_recognizer_init(&host->recognizer, &host->model);
    return engine == TL_ENGINE_OK ? 0 : 256 + (int)engine;
}

size_t tl_host_run(tl_host *host, size_t n, const int16_t *codes, const uint64_t *t_us, const tl_host_trace *trace) {
    for (size_t i = 0; i < n; ++i) {
        tl_step_result result;
        int16_t room[TL_INPUTS];
        const int16_t *code = codes + TL_CHANNELS * i;
        const tl_difference before = host->recognizer.difference;
        if (tl_recognizer_step(&host->recognizer, code, t_us[i], &result) != TL_ENGINE_OK) {
            return i;
        }
        const int16_t *prepared = tl_difference_read(&before, code, result.delta_us, result.reset, room);
        tl_prepare_codes(prepared, host->model.multiplier, trace->x_q + TL_INPUTS * i);
        memcpy(trace->y + TL_OUTPUTS * i, result.y, TL_OUTPUTS);
        trace->winner[i] = result.decision.winner;
        trace->margin[i] = result.decision.margin;
        trace->fired[i] = result.decision.fired;
        trace->state_crc[i] = tl_crc32(0, host->recognizer.state, sizeof host->recognizer.state);
        trace->delta_us[i] = result.delta_us;
        trace->reset[i] = result.reset;
        if (trace->state) {
            memcpy(trace->state + TL_STATES * i, host->recognizer.state, sizeof host->recognizer.state);
        }
    }
    return n;
}

uint32_t tl_host_gap_resets(const tl_host *host) {
    return host->recognizer.gap_resets;
}

uint32_t tl_host_engine_errors(const tl_host *host) {
    return host->recognizer.engine_errors;
}

void tl_host_reset(tl_host *host) {
    tl_recognizer_reset(&host->recognizer);
}

#ifdef TL_HOST_CALLBACK
void tl_host_set_callback(tl_host *host, tl_rhs_callback rhs) {
    host->recognizer.engine.rhs = rhs;
}
#endif
