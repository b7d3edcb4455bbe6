/* A sensor's registers over whichever bus the board has. Part of a driver: one file includes it, after defining
 * BUS_BURST_BYTES, the most that one burst reads.
 *
 * SPI: the first bit of the first byte says read; the answer comes one byte later. I2C: the address, then a repeated
 * start to read. Both count the register address up by themselves; ST's parts of this folder do (IF_INC, IF_ADD_INC).
 */
#ifndef IMU_BUS_H
#define IMU_BUS_H

#include <stdbool.h>
#include <stdint.h>

#include "board_config.h"
#include "hal/hal.h"

/* In the interrupt at the end of a burst. False: the part did not answer, and the bytes mean nothing. */
static void bus_burst_done(bool answered);

#ifdef TL_BOARD_IMU_BUS_I2C

static uint8_t burst_register;
static uint8_t burst_bytes[BUS_BURST_BYTES]; /* DMA reaches RAM only */

static bool bus_read(uint8_t address, uint8_t *value) {
    static uint8_t out, in;
    out = address;
    if (!hal_i2c_transfer(TL_BOARD_IMU_I2C_ADDRESS, &out, 1u, &in, 1u)) {
        return false;
    }
    *value = in;
    return true;
}

static bool bus_write(uint8_t address, uint8_t value) {
    static uint8_t out[2];
    out[0] = address;
    out[1] = value;
    return hal_i2c_transfer(TL_BOARD_IMU_I2C_ADDRESS, out, sizeof out, 0, 0u);
}

/* Starts to read n registers from `first`; False: the bus is busy. For interrupts of the sensor's priority. */
static bool bus_burst_start(uint8_t first, uint32_t n) {
    burst_register = first; /* a transfer under way has long sent it */
    return hal_i2c_start(TL_BOARD_IMU_I2C_ADDRESS, &burst_register, 1u, burst_bytes, n, bus_burst_done);
}

static const uint8_t *bus_burst(void) {
    return burst_bytes;
}

#else

#define BUS_READ 0x80u

static uint8_t burst_out[1u + BUS_BURST_BYTES]; /* DMA reaches RAM only */
static uint8_t burst_in[1u + BUS_BURST_BYTES];

static bool bus_read(uint8_t address, uint8_t *value) {
    static uint8_t out[2], in[2];
    out[0] = (uint8_t)(BUS_READ | address);
    out[1] = 0u;
    if (!hal_spi_transfer(out, in, sizeof out)) {
        return false;
    }
    *value = in[1];
    return true;
}

static bool bus_write(uint8_t address, uint8_t value) {
    static uint8_t out[2], in[2];
    out[0] = address;
    out[1] = value;
    return hal_spi_transfer(out, in, sizeof out);
}

static void spi_ended(void) {
    bus_burst_done(true);
}

/* Starts to read n registers from `first`; False: the bus is busy. For interrupts of the sensor's priority. */
static bool bus_burst_start(uint8_t first, uint32_t n) {
    burst_out[0] = (uint8_t)(BUS_READ | first); /* of a transfer under way it is the same, or not read any more */
    return hal_spi_start(burst_out, burst_in, 1u + n, spi_ended);
}

static const uint8_t *bus_burst(void) {
    return burst_in + 1;
}

#endif

/* The little-endian code at `place` of the burst. */
static int16_t bus_code(uint32_t place) {
    const uint8_t *bytes = bus_burst();
    return (int16_t)(uint16_t)(bytes[place] | ((uint32_t)bytes[place + 1u] << 8));
}

#endif
