/* The test IMU of boards that an emulator invents: registers in memory (hal/mps2/test_bench.h), recordings behind them.
 * As with a real part the edge comes from the board, and the codes are read by this driver. */
#include "sensors/imu.h"

#include "board_config.h"
#include "hal/hal.h"
#include "hal/mps2/test_bench.h"

#if !TL_BOARD_IMU_CLOCK_DATA_READY
#error "imu.clock: the test IMU gives data-ready"
#endif

#define IDENTITY 0x7Eu
#define CONTROL_ON 1u
#define STATUS_STUCK 1u

const uint32_t imu_boot_us = 20000u;
const uint32_t imu_settle_us = 300000u;

static tl_ring *ring;

bool imu_probe(void) {
    return (BENCH->status & STATUS_STUCK) == 0u && BENCH->identity == IDENTITY;
}

static void on_data_ready(uint64_t t_us) {
    hal_mark(true);
    if ((BENCH->status & STATUS_STUCK) != 0u) {
        tl_ring_count_lost(ring);
        return;
    }
    tl_sample sample = {.t_us = t_us};
    for (uint32_t i = 0; i < TL_RING_CHANNELS; i++) {
        sample.code[i] = BENCH->out[i];
    }
    sample.read_us = (uint32_t)(hal_time_us() - t_us);
    (void)tl_ring_push(ring, &sample); /* a full ring counts by itself */
}

bool imu_start(tl_ring *into) {
    ring = into;
    BENCH->control = 0u;
    hal_data_ready_start(on_data_ready);
    BENCH->control = CONTROL_ON;
    return imu_probe();
}

void imu_stop(void) {
    BENCH->control = 0u;
    hal_data_ready_stop();
}
