/* A sensor that a test commands. */
#include "sensors/imu.h"

const uint32_t imu_boot_us = 20000u;
const uint32_t imu_settle_us = 300000u;
bool fake_answers;
bool fake_configures;
uint32_t fake_starts;
uint32_t fake_stops;

bool imu_probe(void) {
    return fake_answers;
}

bool imu_start(tl_ring *ring) {
    (void)ring;
    fake_starts++;
    return fake_configures;
}

void imu_stop(void) {
    fake_stops++;
}
