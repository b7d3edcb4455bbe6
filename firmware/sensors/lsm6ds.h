/* The driver of ST's LSM6DS family: a file for each part defines what differs and includes this.
 *
 *   LSM6DS_WHO_AM_I   its identity
 *
 * Register names, bits and addresses are those of chapter 9 of the LSM6DSO's data sheet (DS12140, here DS). The parts
 * of this folder agree in all of them that are used here; where a name differs it stands in a comment. Whoever adds a
 * part compares these lines with its data sheet.
 *
 * Data-ready is *pulsed* (75 us, DS 9.6) and that of the gyroscope. Pulsed, because a latched line falls only when the
 * output is read: one read that comes too late, and there is never an edge again. The gyroscope's, because its
 * registers come first in the burst and both sensors run in step at the same rate. BDU keeps the two bytes of a value
 * together. */
#ifndef IMU_LSM6DS_H
#define IMU_LSM6DS_H

#include "sensors/imu.h"

#include <stddef.h>

#define BUS_BURST_BYTES 12u

#include "sensors/bus.h"

#define COUNTER_BDR_REG1 0x0Bu /* LSM6DS3TR-C: DRDY_PULSE_CFG_G */
#define DATAREADY_PULSED 0x80u
#define INT1_CTRL 0x0Du
#define INT1_DRDY_G 0x02u
#define WHO_AM_I 0x0Fu
#define CTRL1_XL 0x10u
#define CTRL2_G 0x11u
#define CTRL3_C 0x12u
#define CTRL3_C_BDU 0x40u
#define CTRL3_C_IF_INC 0x04u
#define CTRL3_C_SW_RESET 0x01u
#define CTRL4_C 0x13u
#define CTRL4_C_DRDY_MASK 0x08u /* no data-ready while the filters settle */
#ifdef TL_BOARD_IMU_BUS_SPI
#define CTRL4_C_BUS 0x04u /* I2C_disable: no byte on SPI is taken for a start condition */
#else
#define CTRL4_C_BUS 0u
#endif
#define OUTX_L_G 0x22u

/* CTRL1_XL and CTRL2_G: rate in bits 7..4, range in bits 3..1 (DS 9.12, 9.13). */
#if TL_BOARD_IMU_RATE_MHZ == 104000
#define ODR (4u << 4)
#elif TL_BOARD_IMU_RATE_MHZ == 208000
#define ODR (5u << 4)
#elif TL_BOARD_IMU_RATE_MHZ == 416000
#define ODR (6u << 4)
#else
#error "imu.rate_hz: the LSM6DS driver knows 104, 208 and 416"
#endif

#if TL_BOARD_IMU_ACC_RANGE_G == 2
#define FS_XL (0u << 2)
#elif TL_BOARD_IMU_ACC_RANGE_G == 4
#define FS_XL (2u << 2)
#elif TL_BOARD_IMU_ACC_RANGE_G == 8
#define FS_XL (3u << 2)
#elif TL_BOARD_IMU_ACC_RANGE_G == 16
#define FS_XL (1u << 2)
#else
#error "imu.acc_range_g: the LSM6DS parts have 2, 4, 8 and 16"
#endif

#if TL_BOARD_IMU_GYRO_RANGE_DPS == 125
#define FS_G (1u << 1)
#elif TL_BOARD_IMU_GYRO_RANGE_DPS == 250
#define FS_G (0u << 2)
#elif TL_BOARD_IMU_GYRO_RANGE_DPS == 500
#define FS_G (1u << 2)
#elif TL_BOARD_IMU_GYRO_RANGE_DPS == 1000
#define FS_G (2u << 2)
#elif TL_BOARD_IMU_GYRO_RANGE_DPS == 2000
#define FS_G (3u << 2)
#else
#error "imu.gyro_range_dps: the LSM6DS parts have 125, 250, 500, 1000 and 2000"
#endif

#if defined(TL_BOARD_IMU_BUS_SPI) && TL_BOARD_IMU_BUS_HZ > 10000000
#error "imu.bus_hz: the LSM6DS parts' SPI runs at 10 MHz at most (DS 4.4.1)"
#endif
#if defined(TL_BOARD_IMU_BUS_I2C) && TL_BOARD_IMU_BUS_HZ > 400000
#error "imu.bus_hz: the LSM6DS parts' I2C runs at 400 kHz at most (DS 4.4.2)"
#endif
#if !TL_BOARD_IMU_CLOCK_DATA_READY
#error "imu.clock: the LSM6DS driver needs data-ready"
#endif

#define RESET_LIMIT_US 5000u /* DS 9.14: typically 50 us */

const uint32_t imu_boot_us = 20000u;    /* DS: boot procedure 10 ms, and the supply's rise */
const uint32_t imu_settle_us = 300000u; /* DS 4.1, table 2: gyroscope turn-on 35 ms; then DRDY_MASK's samples */

static tl_ring *ring;
static uint64_t edge_us;

bool imu_probe(void) {
    uint8_t identity = 0u;
    return bus_read(WHO_AM_I, &identity) && identity == LSM6DS_WHO_AM_I;
}

static bool reset_part(void) {
    if (!bus_write(CTRL3_C, CTRL3_C_SW_RESET)) {
        return false;
    }
    const uint64_t limit = hal_time_us() + RESET_LIMIT_US;
    uint8_t value = CTRL3_C_SW_RESET;
    do {
        if (!bus_read(CTRL3_C, &value)) {
            return false;
        }
    } while ((value & CTRL3_C_SW_RESET) != 0u && hal_time_us() < limit);
    return (value & CTRL3_C_SW_RESET) == 0u;
}

/* Sensors last: the first data-ready finds everything else set. */
static bool configure(void) {
    static const struct {
        uint8_t address;
        uint8_t value;
    } settings[] = {
        {CTRL3_C, CTRL3_C_BDU | CTRL3_C_IF_INC},
        {CTRL4_C, CTRL4_C_DRDY_MASK | CTRL4_C_BUS},
        {COUNTER_BDR_REG1, DATAREADY_PULSED},
        {INT1_CTRL, INT1_DRDY_G},
        {CTRL1_XL, ODR | FS_XL},
        {CTRL2_G, ODR | FS_G},
    };
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        uint8_t back = 0u;
        if (!bus_write(settings[i].address, settings[i].value) || !bus_read(settings[i].address, &back) ||
            back != settings[i].value) {
            return false;
        }
    }
    return true;
}

/* The chip has gx gy gz at OUTX_L_G and ax ay az behind them (DS 9.27 to 9.32). */
static void bus_burst_done(bool answered) {
    if (!answered) {
        tl_ring_count_lost(ring);
        return;
    }
    tl_sample sample = {.t_us = edge_us, .read_us = (uint32_t)(hal_time_us() - edge_us)};
    for (uint32_t axis = 0; axis < 3u; axis++) {
        sample.code[3u + axis] = bus_code(2u * axis);
        sample.code[axis] = bus_code(6u + 2u * axis);
    }
    (void)tl_ring_push(ring, &sample); /* a full ring counts by itself */
}

static void on_data_ready(uint64_t t_us) {
    hal_mark(true);
    if (bus_burst_start(OUTX_L_G, BUS_BURST_BYTES)) {
        edge_us = t_us; /* in time: the end of the burst has this interrupt's priority */
    } else {
        tl_ring_count_lost(ring);
    }
}

bool imu_start(tl_ring *into) {
    ring = into;
    if (!reset_part()) {
        return false;
    }
    hal_data_ready_start(on_data_ready);
    if (!configure()) {
        hal_data_ready_stop();
        return false;
    }
    return true;
}

void imu_stop(void) {
    hal_data_ready_stop();
}

#endif
