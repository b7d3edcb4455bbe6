/* TWIM0 with EasyDMA (PS, TWIM). EasyDMA reaches RAM only.
 *
 * Anomaly 219: at the 400 kHz setting SCL is low for less than the I2C specification's 1.3 us; registers.h has the
 * setting that the errata name instead. A part that does not acknowledge raises ERROR; the master is then stopped, and
 * STOPPED ends every transfer, good or bad. */
#include "hal/nrf52840/parts.h"
#include "hal/nrf52840/registers.h"

#include "board_config.h"
#include "hal/hal.h"

#ifdef TL_BOARD_IMU_BUS_I2C

#if TL_BOARD_IMU_BUS_HZ >= 400000
#define BUS_FREQUENCY TWIM_FREQUENCY_400K
#elif TL_BOARD_IMU_BUS_HZ >= 100000
#define BUS_FREQUENCY TWIM_FREQUENCY_100K
#else
#error "imu.bus_hz must be at least 100000"
#endif

#define TRANSFER_TIMEOUT_US 3000u
#define MAXCNT_LIMIT 255u
#define HALF_CLOCK_US 5u
#define CLOCKS_THAT_FREE_A_BUS 9u /* a part that holds SDA in the middle of a byte lets go after at most nine */

static volatile bool busy;
static volatile bool failed;
static hal_i2c_done on_done;

static void pause_us(uint32_t us) {
    const uint64_t end = hal_time_us() + us;
    while (hal_time_us() < end) {
    }
}

/* Clocks a part out of a byte that a reset of this chip has cut short (UM10204, 3.1.16 Bus clear). */
static void free_bus(void) {
    const uint32_t open = GPIO_CNF_OPEN_DRAIN | BIT(0); /* output, input buffer connected */
    REG(GPIO_OUTSET(TL_BOARD_PIN_I2C_SCL)) = GPIO_BIT(TL_BOARD_PIN_I2C_SCL);
    REG(GPIO_PIN_CNF(TL_BOARD_PIN_I2C_SCL)) = open;
    REG(GPIO_PIN_CNF(TL_BOARD_PIN_I2C_SDA)) = GPIO_CNF_INPUT | GPIO_CNF_PULL_UP;
    for (uint32_t i = 0; i < CLOCKS_THAT_FREE_A_BUS; i++) {
        if ((REG(GPIO_IN(TL_BOARD_PIN_I2C_SDA)) & GPIO_BIT(TL_BOARD_PIN_I2C_SDA)) != 0u) {
            break;
        }
        REG(GPIO_OUTCLR(TL_BOARD_PIN_I2C_SCL)) = GPIO_BIT(TL_BOARD_PIN_I2C_SCL);
        pause_us(HALF_CLOCK_US);
        REG(GPIO_OUTSET(TL_BOARD_PIN_I2C_SCL)) = GPIO_BIT(TL_BOARD_PIN_I2C_SCL);
        pause_us(HALF_CLOCK_US);
    }
    /* As TWIM wants its pins (PS, TWIM, Master mode pin configuration): inputs, standard low and disconnected high.
     * Pulled up too: the board's own resistors may hang on a supply that has just been switched on. */
    REG(GPIO_PIN_CNF(TL_BOARD_PIN_I2C_SCL)) = GPIO_CNF_OPEN_DRAIN | GPIO_CNF_INPUT | GPIO_CNF_PULL_UP;
    REG(GPIO_PIN_CNF(TL_BOARD_PIN_I2C_SDA)) = GPIO_CNF_OPEN_DRAIN | GPIO_CNF_INPUT | GPIO_CNF_PULL_UP;
}

void bus_init(void) {
    free_bus();
    REG(TWIM_PSEL_SCL) = TL_BOARD_PIN_I2C_SCL;
    REG(TWIM_PSEL_SDA) = TL_BOARD_PIN_I2C_SDA;
    REG(TWIM_FREQUENCY) = BUS_FREQUENCY;
    REG(TWIM_ENABLE) = TWIM_ENABLE_ON;
    REG(TWIM_INTENSET) = TWIM_INT_STOPPED | TWIM_INT_ERROR;
    interrupt_enable(TWIM_IRQ, PRIORITY_SENSOR);
}

bool hal_i2c_start(uint8_t address, const uint8_t *tx, uint32_t n_tx, uint8_t *rx, uint32_t n_rx, hal_i2c_done done) {
    const uint32_t before = hal_critical_enter();
    const bool free = !busy && n_tx >= 1u && n_tx <= MAXCNT_LIMIT && n_rx <= MAXCNT_LIMIT;
    busy = busy || free;
    hal_critical_leave(before);
    if (!free) {
        return false;
    }
    failed = false;
    on_done = done;
    REG(TWIM_ADDRESS) = address;
    REG(TWIM_TXD_PTR) = (uint32_t)(uintptr_t)tx;
    REG(TWIM_TXD_MAXCNT) = n_tx;
    REG(TWIM_RXD_PTR) = (uint32_t)(uintptr_t)rx;
    REG(TWIM_RXD_MAXCNT) = n_rx;
    REG(TWIM_SHORTS) = n_rx == 0u ? TWIM_SHORTS_LASTTX_STOP : TWIM_SHORTS_LASTTX_STARTRX | TWIM_SHORTS_LASTRX_STOP;
    __asm volatile("dmb" ::: "memory"); /* the buffer is written before DMA reads it */
    REG(TWIM_TASKS_STARTTX) = TASK_TRIGGER;
    return true;
}

/* Waits for the end of what is under way; gives it up after the limit and frees the bus, so that a restart of the
 * sensor heals a stuck bus too. */
static bool wait_until_free(void) {
    const uint64_t limit = hal_time_us() + TRANSFER_TIMEOUT_US;
    while (busy) {
        if (hal_time_us() > limit) {
            REG(TWIM_ENABLE) = 0u;
            free_bus();
            event_clear(TWIM_EVENTS_STOPPED);
            event_clear(TWIM_EVENTS_ERROR);
            REG(TWIM_ENABLE) = TWIM_ENABLE_ON;
            busy = false;
            return false;
        }
    }
    __asm volatile("" ::: "memory"); /* what DMA wrote is read after this */
    return true;
}

bool bus_moves(void) {
    return busy;
}

bool hal_i2c_transfer(uint8_t address, const uint8_t *tx, uint32_t n_tx, uint8_t *rx, uint32_t n_rx) {
    return wait_until_free() && hal_i2c_start(address, tx, n_tx, rx, n_rx, 0) && wait_until_free() && !failed;
}

void TWIM0_IRQHandler(void);
void TWIM0_IRQHandler(void) {
    core_was_interrupted();
    if (REG(TWIM_EVENTS_ERROR) != 0u) {
        event_clear(TWIM_EVENTS_ERROR);
        REG(TWIM_ERRORSRC) = REG(TWIM_ERRORSRC); /* cleared by writing 1 */
        failed = true;
        REG(TWIM_TASKS_STOP) = TASK_TRIGGER;
    }
    if (REG(TWIM_EVENTS_STOPPED) == 0u) {
        return;
    }
    event_clear(TWIM_EVENTS_STOPPED);
    if (!busy) {
        return; /* the end of a transfer that was given up */
    }
    const hal_i2c_done done = on_done;
    const bool acknowledged = !failed;
    busy = false;
    if (done != 0) {
        done(acknowledged);
    }
}

#endif
