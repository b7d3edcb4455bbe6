/* What the main loop asks of an inertial sensor; one file of this folder per part implements it.
 *
 * A running driver delivers bursts of stamped samples into the ring, from interrupts: today one sample a burst, with a
 * FIFO more. Codes are what the output registers hold, reordered to ax ay az gx gy gz (docs/SPEC.md, 1). */
#ifndef IMU_H
#define IMU_H

#include <stdbool.h>
#include <stdint.h>

#include "core/ring.h"

/* From power-on until the sensor answers, and from imu_start until its first sample must have come, in microseconds. */
extern const uint32_t imu_boot_us;
extern const uint32_t imu_settle_us;

/* Whether the part answers with its identity. */
bool imu_probe(void);

/* Resets and configures the part for the ranges and the rate of board_config.h, and delivers into `ring` from now on.
 * False when it does not take the configuration. Waits up to a few milliseconds. */
bool imu_start(tl_ring *ring);

/* Delivers nothing any more. */
void imu_stop(void);

#endif
