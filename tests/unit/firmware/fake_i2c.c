/* The HAL under the sensor driver, with a part's registers behind the I2C. */
#include "hal/hal.h"

#include "core/ring.h"

uint8_t fake_address;
uint8_t fake_register[128];
bool fake_bus_busy;
bool fake_bus_dead; /* nobody acknowledges */
bool fake_mark;
uint8_t fake_written[32][2]; /* register, value */
uint32_t fake_writes;
uint32_t fake_bursts;
static uint64_t now_us;
static hal_edge on_edge;
static hal_i2c_done end_of_transfer;
static bool acknowledged;

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

static bool exchange(uint8_t address, const uint8_t *tx, uint32_t n_tx, uint8_t *rx, uint32_t n_rx) {
    if (fake_bus_dead || address != fake_address) {
        return false;
    }
    for (uint32_t i = 1; i < n_tx; i++) {
        const uint8_t target = (uint8_t)(tx[0] + i - 1u);
        fake_written[fake_writes][0] = target;
        fake_written[fake_writes++][1] = tx[i];
        /* The reset bit of CTRL3_C and of CTRL_REG8 is bit 0, and clears itself. */
        fake_register[target] = target == 0x12u || target == 0x22u ? (uint8_t)(tx[i] & ~1u) : tx[i];
    }
    for (uint32_t i = 0; i < n_rx; i++) {
        rx[i] = fake_register[tx[0] + i];
    }
    return true;
}

bool hal_i2c_transfer(uint8_t address, const uint8_t *tx, uint32_t n_tx, uint8_t *rx, uint32_t n_rx) {
    return exchange(address, tx, n_tx, rx, n_rx);
}

bool hal_i2c_start(uint8_t address, const uint8_t *tx, uint32_t n_tx, uint8_t *rx, uint32_t n_rx, hal_i2c_done done) {
    if (fake_bus_busy) {
        return false;
    }
    fake_bursts++;
    acknowledged = exchange(address, tx, n_tx, rx, n_rx);
    end_of_transfer = done;
    return true;
}

void fake_edge(uint64_t t_us) {
    now_us = t_us;
    end_of_transfer = 0;
    on_edge(t_us);
    while (end_of_transfer != 0) { /* interrupts of the same priority: one after the other */
        const hal_i2c_done done = end_of_transfer;
        end_of_transfer = 0;
        done(acknowledged);
    }
}

bool fake_listens(void) {
    return on_edge != 0;
}
