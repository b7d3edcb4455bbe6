/* LSM9DS1 on I2C or SPI: accelerometer and gyroscope, which are one die; the magnetometer is left alone. DS: ST data
 * sheet DocID025715 revision 3; register names and bits are those of its chapter 7.
 *
 * Where it is soldered its interrupt pins lead nowhere (Arduino Nano 33 BLE Sense), so a timer asks STATUS_REG several
 * times in a sample's period and reads the codes when both sensors have new ones. The stamp is that of the question:
 * at most one poll late. With the gyroscope on, the accelerometer runs at the gyroscope's rate (DS 7.12 CTRL_REG1_G).
 * BDU keeps the two bytes of a value together. */
#include "sensors/imu.h"

#include <stddef.h>

#define SENSOR_BYTES 6u
#define BUS_BURST_BYTES SENSOR_BYTES

#include "sensors/bus.h"

#define WHO_AM_I 0x0Fu
#define WHO_AM_I_LSM9DS1 0x68u
#define CTRL_REG1_G 0x10u
#define STATUS_REG 0x17u
#define STATUS_REG_NEW 0x03u /* XLDA, GDA */
#define OUT_X_G 0x18u
#define OUT_X_XL 0x28u
#define CTRL_REG6_XL 0x20u
#define CTRL_REG8 0x22u
#define CTRL_REG8_BDU 0x40u
#define CTRL_REG8_IF_ADD_INC 0x04u
#define CTRL_REG8_SW_RESET 0x01u

/* CTRL_REG1_G and CTRL_REG6_XL: rate in bits 7..5, range in bits 4..3 (DS 7.12, 7.24). */
#if TL_BOARD_IMU_RATE_MHZ == 119000
#define ODR (3u << 5)
#elif TL_BOARD_IMU_RATE_MHZ == 238000
#define ODR (4u << 5)
#elif TL_BOARD_IMU_RATE_MHZ == 476000
#define ODR (5u << 5)
#else
#error "imu.rate_hz: the LSM9DS1 driver knows 119, 238 and 476"
#endif

#if TL_BOARD_IMU_ACC_RANGE_G == 2
#define FS_XL (0u << 3)
#elif TL_BOARD_IMU_ACC_RANGE_G == 4
#define FS_XL (2u << 3)
#elif TL_BOARD_IMU_ACC_RANGE_G == 8
#define FS_XL (3u << 3)
#else
#error "imu.acc_range_g: the LSM9DS1 driver knows 2, 4 and 8 (16 has codes of another step)"
#endif

#if TL_BOARD_IMU_GYRO_RANGE_DPS == 245
#define FS_G (0u << 3)
#elif TL_BOARD_IMU_GYRO_RANGE_DPS == 500
#define FS_G (1u << 3)
#elif TL_BOARD_IMU_GYRO_RANGE_DPS == 2000
#define FS_G (3u << 3)
#else
#error "imu.gyro_range_dps: the LSM9DS1 has 245, 500 and 2000"
#endif

#if TL_BOARD_IMU_CLOCK_DATA_READY
#error "imu.clock: the LSM9DS1 driver asks by a timer"
#endif

#define RESET_LIMIT_US 20000u

const uint32_t imu_boot_us = 20000u;    /* DS: boot procedure, and the supply's rise */
const uint32_t imu_settle_us = 300000u; /* the gyroscope's turn-on and the first samples of its filters */

static tl_ring *ring;
static tl_sample sample; /* of the last question, growing */

/* What is on its way; once polling has begun only the sensor's interrupts touch it. The two sensors are read apart:
 * between their registers lie others, and whether a longer burst would run through them the data sheet does not say. */
typedef enum { BURST_NONE, BURST_STATUS, BURST_GYRO, BURST_ACC } burst;
static burst reading;

bool imu_probe(void) {
    uint8_t identity = 0u;
    return bus_read(WHO_AM_I, &identity) && identity == WHO_AM_I_LSM9DS1;
}

static bool reset_part(void) {
    if (!bus_write(CTRL_REG8, CTRL_REG8_SW_RESET | CTRL_REG8_IF_ADD_INC)) {
        return false;
    }
    const uint64_t limit = hal_time_us() + RESET_LIMIT_US;
    uint8_t value = CTRL_REG8_SW_RESET;
    do {
        if (!bus_read(CTRL_REG8, &value)) {
            return false;
        }
    } while ((value & CTRL_REG8_SW_RESET) != 0u && hal_time_us() < limit);
    return (value & CTRL_REG8_SW_RESET) == 0u;
}

/* The gyroscope last: it starts both. */
static bool configure(void) {
    static const struct {
        uint8_t address;
        uint8_t value;
    } settings[] = {
        {CTRL_REG8, CTRL_REG8_BDU | CTRL_REG8_IF_ADD_INC},
        {CTRL_REG6_XL, ODR | FS_XL},
        {CTRL_REG1_G, ODR | FS_G},
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

static void read_next(burst what, uint8_t first, uint32_t n) {
    reading = bus_burst_start(first, n) ? what : BURST_NONE;
}

static void bus_burst_done(bool answered) {
    const burst ended = reading;
    reading = BURST_NONE;
    if (!answered) {
        if (ended != BURST_STATUS) {
            tl_ring_count_lost(ring);
        }
        return;
    }
    if (ended == BURST_STATUS) {
        if ((bus_burst()[0] & STATUS_REG_NEW) == STATUS_REG_NEW) {
            hal_mark(true);
            read_next(BURST_GYRO, OUT_X_G, SENSOR_BYTES);
        }
        return;
    }
    int16_t *code = &sample.code[ended == BURST_GYRO ? 3 : 0];
    for (uint32_t axis = 0; axis < 3u; axis++) {
        code[axis] = bus_code(2u * axis);
    }
    if (ended == BURST_GYRO) {
        read_next(BURST_ACC, OUT_X_XL, SENSOR_BYTES);
        return;
    }
    sample.read_us = (uint32_t)(hal_time_us() - sample.t_us);
    (void)tl_ring_push(ring, &sample); /* a full ring counts by itself */
}

/* While the answer to the last question is still on the bus there is nothing to ask. */
static void on_poll(uint64_t t_us) {
    if (reading == BURST_NONE) {
        sample.t_us = t_us;
        read_next(BURST_STATUS, STATUS_REG, 1u);
    }
}

bool imu_start(tl_ring *into) {
    ring = into;
    reading = BURST_NONE;
    if (!reset_part() || !configure()) {
        return false;
    }
    hal_data_ready_start(on_poll);
    return true;
}

void imu_stop(void) {
    hal_data_ready_stop();
}
