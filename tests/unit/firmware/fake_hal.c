/* The HAL under the sensor driver, with an LSM6DSO's registers behind the SPI. */
#include "hal/hal.h"

#include "core/ring.h"

uint8_t fake_register[128];
bool fake_reset_sticks;
bool fake_bus_busy;
bool fake_bus_dead;
bool fake_mark;
uint8_t fake_written[32][2]; /* address, value */
uint32_t fake_writes;
static uint64_t now_us;
static hal_edge on_edge;
static hal_spi_done end_of_transfer;

void fake_edge(uint64_t t_us);
bool fake_listens(void);

uint64_t hal_time_us(void) {
    return now_us += 10u;
}

void hal_mark(bool high) {
    fake_mark = high;
}

void hal_data_ready_start(hal_edge edge) {
    on_edge = edge;
}

void hal_data_ready_stop(void) {
    on_edge = 0;
}

static void exchange(const uint8_t *tx, uint8_t *rx, uint32_t n) {
    const uint32_t first = tx[0] & 0x7Fu;
    for (uint32_t i = 1; i < n; i++) {
        const uint32_t address = first + i - 1u;
        if ((tx[0] & 0x80u) != 0u) {
            rx[i] = fake_register[address];
            continue;
        }
        fake_written[fake_writes][0] = (uint8_t)address;
        fake_written[fake_writes++][1] = tx[i];
        fake_register[address] = address == 0x12u && (tx[i] & 1u) != 0u && !fake_reset_sticks ? 4u : tx[i];
    }
}

bool hal_spi_transfer(const uint8_t *tx, uint8_t *rx, uint32_t n) {
    if (!fake_bus_dead) {
        exchange(tx, rx, n);
    }
    return !fake_bus_dead;
}

bool hal_spi_start(const uint8_t *tx, uint8_t *rx, uint32_t n, hal_spi_done done) {
    if (fake_bus_busy) {
        return false;
    }
    exchange(tx, rx, n);
    end_of_transfer = done;
    return true;
}

void fake_edge(uint64_t t_us) {
    now_us = t_us;
    end_of_transfer = 0;
    on_edge(t_us);
    if (end_of_transfer != 0) {
        end_of_transfer(); /* an interrupt of the same priority: after the other has returned */
    }
}

bool fake_listens(void) {
    return on_edge != 0;
}
