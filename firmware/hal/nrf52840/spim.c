/* SPIM2 with EasyDMA, mode 3, chip select by GPIO (PS, SPIM).
 *
 * Anomalies (nRF52840 errata): 198 corrupts transmit data of SPIM3 only; SPIM0 and SPIM1 share their addresses with the
 * TWIMs. SPIM2 has neither trouble, and is the one that Renode can run. EasyDMA reaches RAM only: constants in flash
 * must not be sent from where they are. */
#include "hal/nrf52840/parts.h"
#include "hal/nrf52840/registers.h"

#include "board_config.h"
#include "hal/hal.h"

#ifdef TL_BOARD_IMU_BUS_SPI

#if TL_BOARD_IMU_BUS_HZ >= 8000000
#define BUS_FREQUENCY SPIM_FREQUENCY_8M
#elif TL_BOARD_IMU_BUS_HZ >= 4000000
#define BUS_FREQUENCY SPIM_FREQUENCY_4M
#elif TL_BOARD_IMU_BUS_HZ >= 1000000
#define BUS_FREQUENCY SPIM_FREQUENCY_1M
#else
#error "imu.bus_hz must be at least 1000000"
#endif

#define TRANSFER_TIMEOUT_US 1000u
#define MAXCNT_LIMIT 255u

static volatile bool busy;
static hal_spi_done on_done;

void bus_init(void) {
    /* Pins first: while SPIM is off they hold the idle levels of mode 3 (PS, SPIM, Pin configuration). */
    REG(GPIO_OUTSET(TL_BOARD_PIN_IMU_CS)) = GPIO_BIT(TL_BOARD_PIN_IMU_CS);
    REG(GPIO_PIN_CNF(TL_BOARD_PIN_IMU_CS)) = GPIO_CNF_OUTPUT;
    REG(GPIO_OUTSET(TL_BOARD_PIN_SPI_SCK)) = GPIO_BIT(TL_BOARD_PIN_SPI_SCK);
    /* SCK keeps its input buffer connected, as SPIM wants it. */
    REG(GPIO_PIN_CNF(TL_BOARD_PIN_SPI_SCK)) = BIT(0);
    REG(GPIO_OUTCLR(TL_BOARD_PIN_SPI_MOSI)) = GPIO_BIT(TL_BOARD_PIN_SPI_MOSI);
    REG(GPIO_PIN_CNF(TL_BOARD_PIN_SPI_MOSI)) = GPIO_CNF_OUTPUT;
    /* Pulled up: an absent sensor answers 0xFF, which is no WHO_AM_I. */
    REG(GPIO_PIN_CNF(TL_BOARD_PIN_SPI_MISO)) = GPIO_CNF_INPUT | GPIO_CNF_PULL_UP;
    REG(SPIM_PSEL_SCK) = TL_BOARD_PIN_SPI_SCK;
    REG(SPIM_PSEL_MOSI) = TL_BOARD_PIN_SPI_MOSI;
    REG(SPIM_PSEL_MISO) = TL_BOARD_PIN_SPI_MISO;
    REG(SPIM_FREQUENCY) = BUS_FREQUENCY;
    REG(SPIM_CONFIG) = SPIM_CONFIG_MODE3;
    REG(SPIM_ORC) = 0xFFu;
    REG(SPIM_ENABLE) = SPIM_ENABLE_ON;
    REG(SPIM_INTENSET) = SPIM_INT_END;
    interrupt_enable(SPIM_IRQ, PRIORITY_SENSOR);
}

bool hal_spi_start(const uint8_t *tx, uint8_t *rx, uint32_t n, hal_spi_done done) {
    const uint32_t before = hal_critical_enter();
    const bool free = !busy && n >= 1u && n <= MAXCNT_LIMIT;
    busy = busy || free;
    hal_critical_leave(before);
    if (!free) {
        return false;
    }
    on_done = done;
    REG(SPIM_TXD_PTR) = (uint32_t)(uintptr_t)tx;
    REG(SPIM_TXD_MAXCNT) = n;
    REG(SPIM_RXD_PTR) = (uint32_t)(uintptr_t)rx;
    REG(SPIM_RXD_MAXCNT) = n;
    REG(GPIO_OUTCLR(TL_BOARD_PIN_IMU_CS)) = GPIO_BIT(TL_BOARD_PIN_IMU_CS);
    __asm volatile("dmb" ::: "memory"); /* the buffer is written before DMA reads it */
    REG(SPIM_TASKS_START) = TASK_TRIGGER;
    return true;
}

static void release(void) {
    REG(GPIO_OUTSET(TL_BOARD_PIN_IMU_CS)) = GPIO_BIT(TL_BOARD_PIN_IMU_CS);
    busy = false;
}

/* Waits for the end of what is under way; gives it up after the limit, so that a restart of the sensor heals a stuck
 * bus too. */
static bool wait_until_free(void) {
    const uint64_t limit = hal_time_us() + TRANSFER_TIMEOUT_US;
    while (busy) {
        if (hal_time_us() > limit) {
            REG(SPIM_TASKS_STOP) = TASK_TRIGGER;
            release();
            return false;
        }
    }
    __asm volatile("" ::: "memory"); /* what DMA wrote is read after this */
    return true;
}

bool bus_moves(void) {
    return busy;
}

bool hal_spi_transfer(const uint8_t *tx, uint8_t *rx, uint32_t n) {
    return wait_until_free() && hal_spi_start(tx, rx, n, 0) && wait_until_free();
}

void SPIM2_IRQHandler(void);
void SPIM2_IRQHandler(void) {
    core_was_interrupted();
    if (REG(SPIM_EVENTS_END) == 0u) {
        return;
    }
    event_clear(SPIM_EVENTS_END);
    if (!busy) {
        return; /* the end of a transfer that was given up */
    }
    const hal_spi_done done = on_done;
    release();
    if (done != 0) {
        done();
    }
}

#endif
