/* LSM6DSO on SPI. DS: ST data sheet DS12140; register names and bits are those of its chapter 9, the SPI protocol
 * (first bit 1: read; the address counts up by itself with IF_INC) that of chapter 5.1.
 *
 * Data-ready is *pulsed* (75 us, DS 9.6) and that of the gyroscope. Pulsed, because a latched line falls only when the
 * output is read: one read that comes too late, and there is never an edge again. The gyroscope's, because its
 * registers come first in the burst and both sensors run in step at the same rate. BDU keeps the two bytes of a value
 * together. */
#include "sensors/imu.h"

#include <stddef.h>

#include "board_config.h"
#include "hal/hal.h"

#define COUNTER_BDR_REG1 0x0Bu
#define DATAREADY_PULSED 0x80u
#define INT1_CTRL 0x0Du
#define INT1_DRDY_G 0x02u
#define WHO_AM_I 0x0Fu
#define WHO_AM_I_LSM6DSO 0x6Cu
#define CTRL1_XL 0x10u
#define CTRL2_G 0x11u
#define CTRL3_C 0x12u
#define CTRL3_C_BDU 0x40u
#define CTRL3_C_IF_INC 0x04u
#define CTRL3_C_SW_RESET 0x01u
#define CTRL4_C 0x13u
#define CTRL4_C_DRDY_MASK 0x08u /* no data-ready while the filters settle */
#define CTRL4_C_I2C_DISABLE 0x04u
#define OUTX_L_G 0x22u
#define READ 0x80u
#define OUTPUT_BYTES 12u

/* CTRL1_XL and CTRL2_G: rate in bits 7..4, range in bits 3..1 (DS 9.12, 9.13). */
#if TL_BOARD_IMU_RATE_MHZ == 104000
#define ODR (4u << 4)
#elif TL_BOARD_IMU_RATE_MHZ == 208000
#define ODR (5u << 4)
#elif TL_BOARD_IMU_RATE_MHZ == 416000
#define ODR (6u << 4)
#else
#error "imu.rate_hz: the LSM6DSO driver knows 104, 208 and 416"
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
#error "imu.acc_range_g: the LSM6DSO has 2, 4, 8 and 16"
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
#error "imu.gyro_range_dps: the LSM6DSO has 125, 250, 500, 1000 and 2000"
#endif

#if TL_BOARD_IMU_BUS_HZ > 10000000
#error "imu.bus_hz: the LSM6DSO's SPI runs at 10 MHz at most (DS 4.4.1)"
#endif
#if !TL_BOARD_IMU_CLOCK_DATA_READY
#error "imu.clock: the LSM6DSO driver needs data-ready"
#endif

#define RESET_LIMIT_US 5000u /* DS 9.14: typically 50 us */

const uint32_t imu_boot_us = 20000u;    /* DS: boot procedure 10 ms, and the supply's rise */
const uint32_t imu_settle_us = 300000u; /* DS 4.1, table 2: gyroscope turn-on 35 ms; then DRDY_MASK's samples */

static tl_ring *ring;
static uint64_t edge_us;
static uint8_t burst_out[1u + OUTPUT_BYTES]; /* EasyDMA and its like read RAM only */
static uint8_t burst_in[1u + OUTPUT_BYTES];

static bool read_register(uint8_t address, uint8_t *value) {
    static uint8_t out[2], in[2];
    out[0] = (uint8_t)(READ | address);
    out[1] = 0u;
    if (!hal_spi_transfer(out, in, sizeof out)) {
        return false;
    }
    *value = in[1];
    return true;
}

static bool write_register(uint8_t address, uint8_t value) {
    static uint8_t out[2], in[2];
    out[0] = address;
    out[1] = value;
    return hal_spi_transfer(out, in, sizeof out);
}

bool imu_probe(void) {
    uint8_t identity = 0u;
    return read_register(WHO_AM_I, &identity) && identity == WHO_AM_I_LSM6DSO;
}

static bool reset_part(void) {
    if (!write_register(CTRL3_C, CTRL3_C_SW_RESET)) {
        return false;
    }
    const uint64_t limit = hal_time_us() + RESET_LIMIT_US;
    uint8_t value = CTRL3_C_SW_RESET;
    do {
        if (!read_register(CTRL3_C, &value)) {
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
        {CTRL4_C, CTRL4_C_DRDY_MASK | CTRL4_C_I2C_DISABLE},
        {COUNTER_BDR_REG1, DATAREADY_PULSED},
        {INT1_CTRL, INT1_DRDY_G},
        {CTRL1_XL, ODR | FS_XL},
        {CTRL2_G, ODR | FS_G},
    };
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++) {
        uint8_t back = 0u;
        if (!write_register(settings[i].address, settings[i].value) || !read_register(settings[i].address, &back) ||
            back != settings[i].value) {
            return false;
        }
    }
    return true;
}

static int16_t code_at(uint32_t place) {
    return (int16_t)(uint16_t)(burst_in[1u + place] | ((uint32_t)burst_in[2u + place] << 8));
}

/* The chip has gx gy gz at OUTX_L_G and ax ay az behind them (DS 9.27 to 9.32). */
static void on_burst(void) {
    tl_sample sample = {.t_us = edge_us, .read_us = (uint32_t)(hal_time_us() - edge_us)};
    for (uint32_t axis = 0; axis < 3u; axis++) {
        sample.code[3u + axis] = code_at(2u * axis);
        sample.code[axis] = code_at(6u + 2u * axis);
    }
    (void)tl_ring_push(ring, &sample); /* a full ring counts by itself */
}

static void on_data_ready(uint64_t t_us) {
    hal_mark(true);
    if (hal_spi_start(burst_out, burst_in, sizeof burst_out, on_burst)) {
        edge_us = t_us; /* in time: on_burst has this interrupt's priority */
    } else {
        tl_ring_count_lost(ring);
    }
}

bool imu_start(tl_ring *into) {
    ring = into;
    burst_out[0] = READ | OUTX_L_G;
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
