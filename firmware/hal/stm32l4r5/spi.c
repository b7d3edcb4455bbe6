/* SPI1 as master with DMA both ways, mode 3, chip select by GPIO (RM 55, 11, 12). */
#include "hal/stm32l4r5/parts.h"
#include "hal/stm32l4r5/registers.h"

#include "board_config.h"
#include "hal/hal.h"

#ifndef TL_BOARD_IMU_BUS_SPI
#error "imu.bus: the STM32L4R5's HAL knows spi only"
#endif
#ifndef TL_BOARD_ROUTE_SPI_FUNCTION
#error "routing.spi_function: the alternate function that makes the pins SPI1's"
#endif
#if TL_BOARD_IMU_BUS_HZ >= TL_BOARD_CLOCK_HZ / 8
#define DIVIDER 2u
#elif TL_BOARD_IMU_BUS_HZ >= TL_BOARD_CLOCK_HZ / 16
#define DIVIDER 3u
#elif TL_BOARD_IMU_BUS_HZ >= TL_BOARD_CLOCK_HZ / 64
#define DIVIDER 5u
#else
#error "imu.bus_hz must be at least 1875000"
#endif

#define TRANSFER_TIMEOUT_US 1000u
#define LENGTH_LIMIT 255u

static volatile bool busy;
static hal_spi_done on_done;

void bus_init(void) {
    pin_output(TL_BOARD_PIN_IMU_CS, true);
    /* SCK idles high while SPI drives nothing; an absent sensor answers 0xFF, which is no WHO_AM_I. */
    pin_function(TL_BOARD_PIN_SPI_SCK, TL_BOARD_ROUTE_SPI_FUNCTION, PULL_UP);
    pin_function(TL_BOARD_PIN_SPI_MOSI, TL_BOARD_ROUTE_SPI_FUNCTION, PULL_NONE);
    pin_function(TL_BOARD_PIN_SPI_MISO, TL_BOARD_ROUTE_SPI_FUNCTION, PULL_UP);
    REG(SPI_CR1) = SPI_CR1_MODE3 | SPI_CR1_MASTER | SPI_CR1_BR(DIVIDER);
    REG(SPI_CR2) = SPI_CR2_BYTES_BY_DMA;
    REG(SPI_CR1) |= SPI_CR1_SPE;
    REG(DMAMUX_CCR(DMA_SPI_RX)) = DMAMUX_SPI1_RX;
    REG(DMAMUX_CCR(DMA_SPI_TX)) = DMAMUX_SPI1_TX;
    REG(DMA_CPAR(DMA_SPI_RX)) = SPI_DR;
    REG(DMA_CPAR(DMA_SPI_TX)) = SPI_DR;
    interrupt_enable(DMA_IRQ(DMA_SPI_RX), PRIORITY_SENSOR);
}

bool hal_spi_start(const uint8_t *tx, uint8_t *rx, uint32_t n, hal_spi_done done) {
    const uint32_t before = hal_critical_enter();
    const bool free = !busy && n >= 1u && n <= LENGTH_LIMIT;
    busy = busy || free;
    hal_critical_leave(before);
    if (!free) {
        return false;
    }
    on_done = done;
    REG(GPIO_BSRR(TL_BOARD_PIN_IMU_CS)) = GPIO_LOW(TL_BOARD_PIN_IMU_CS);
    REG(DMA_CMAR(DMA_SPI_RX)) = (uint32_t)(uintptr_t)rx;
    REG(DMA_CNDTR(DMA_SPI_RX)) = n;
    REG(DMA_CMAR(DMA_SPI_TX)) = (uint32_t)(uintptr_t)tx;
    REG(DMA_CNDTR(DMA_SPI_TX)) = n;
    __asm volatile("dmb" ::: "memory"); /* the buffer is written before DMA reads it */
    /* Receiving first: sending begins at once, its register is empty. The last byte received ends the transfer. */
    REG(DMA_CCR(DMA_SPI_RX)) = DMA_CCR_MINC | DMA_CCR_TCIE | DMA_CCR_EN;
    REG(DMA_CCR(DMA_SPI_TX)) = DMA_CCR_MINC | DMA_CCR_FROM_RAM | DMA_CCR_EN;
    return true;
}

static void release(void) {
    REG(DMA_CCR(DMA_SPI_RX)) = 0u; /* counts and addresses can be set only while it is off */
    REG(DMA_CCR(DMA_SPI_TX)) = 0u;
    REG(GPIO_BSRR(TL_BOARD_PIN_IMU_CS)) = GPIO_HIGH(TL_BOARD_PIN_IMU_CS);
    busy = false;
}

/* Waits for the end of what is under way; gives it up after the limit, so that a restart of the sensor heals a stuck
 * bus too. */
static bool wait_until_free(void) {
    const uint64_t limit = hal_time_us() + TRANSFER_TIMEOUT_US;
    while (busy) {
        if (hal_time_us() > limit) {
            release();
            while ((REG(SPI_SR) & SPI_SR_RXNE) != 0u) {
                (void)REG8(SPI_DR); /* else the next transfer would begin with it */
            }
            return false;
        }
    }
    __asm volatile("" ::: "memory"); /* what DMA wrote is read after this */
    return true;
}

bool hal_spi_transfer(const uint8_t *tx, uint8_t *rx, uint32_t n) {
    return wait_until_free() && hal_spi_start(tx, rx, n, 0) && wait_until_free();
}

void DMA1_Channel1_IRQHandler(void);
void DMA1_Channel1_IRQHandler(void) {
    const bool complete = (REG(DMA_ISR) & DMA_COMPLETE(DMA_SPI_RX)) != 0u;
    REG(DMA_IFCR) = DMA_COMPLETE(DMA_SPI_RX);
    (void)REG(DMA_ISR); /* the flag is down before the handler returns, else it would be called twice */
    if (!complete || !busy) {
        return; /* the end of a transfer that was given up */
    }
    const hal_spi_done done = on_done;
    release();
    if (done != 0) {
        done();
    }
}
