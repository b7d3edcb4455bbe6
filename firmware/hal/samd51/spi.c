/* SERCOM as SPI master with DMA both ways, mode 3, chip select by PORT (MC 35). */
#include "hal/samd51/parts.h"
#include "hal/samd51/registers.h"

#include "board_config.h"
#include "hal/hal.h"

#ifndef TL_BOARD_IMU_BUS_SPI
#error "imu.bus: the SAMD51's HAL knows spi only"
#endif
#if !defined(TL_BOARD_ROUTE_SPI_SERCOM) || !defined(TL_BOARD_ROUTE_SPI_FUNCTION)
#error "routing: spi_sercom (0 to 7) and spi_function (2 is C, 3 is D) say which SERCOM the pins belong to"
#endif
#if !defined(TL_BOARD_ROUTE_SPI_MISO_PAD) || TL_BOARD_ROUTE_SPI_MISO_PAD > 3
#error "routing.spi_miso_pad: 0 to 3"
#endif
#if TL_BOARD_ROUTE_SPI_MOSI_PAD != 0 && TL_BOARD_ROUTE_SPI_MOSI_PAD != 3
#error "routing.spi_mosi_pad: 0 or 3 (SCK is pad 1)"
#endif

#define SPI SERCOM(TL_BOARD_ROUTE_SPI_SERCOM)
/* f = clock / (2 * (BAUD + 1)), not faster than asked for. */
#define DIVIDER ((GCLK_SERIAL_HZ + 2u * TL_BOARD_IMU_BUS_HZ - 1u) / (2u * TL_BOARD_IMU_BUS_HZ) - 1u)

#define TRANSFER_TIMEOUT_US 1000u
#define LENGTH_LIMIT 255u

static volatile bool busy;
static hal_spi_done on_done;

void bus_init(void) {
    REG(PORT_OUTSET(TL_BOARD_PIN_IMU_CS)) = PORT_BIT(TL_BOARD_PIN_IMU_CS);
    REG(PORT_DIRSET(TL_BOARD_PIN_IMU_CS)) = PORT_BIT(TL_BOARD_PIN_IMU_CS);
    sercom_on(TL_BOARD_ROUTE_SPI_SERCOM);
    REG(SPI + SERCOM_CTRLA) = SERCOM_CTRLA_SPI | SERCOM_CTRLA_MODE3 | SERCOM_CTRLA_DOPO(TL_BOARD_ROUTE_SPI_MOSI_PAD) |
                              SERCOM_CTRLA_DIPO(TL_BOARD_ROUTE_SPI_MISO_PAD);
    REG(SPI + SERCOM_CTRLB) = SERCOM_CTRLB_RXEN;
    sync_wait(SPI + SERCOM_SYNCBUSY);
    REG8(SPI + SERCOM_BAUD) = (uint8_t)DIVIDER;
    REG(SPI + SERCOM_CTRLA) |= SERCOM_CTRLA_ENABLE;
    sync_wait(SPI + SERCOM_SYNCBUSY);
    pin_function(TL_BOARD_PIN_SPI_SCK, TL_BOARD_ROUTE_SPI_FUNCTION, false, false);
    pin_function(TL_BOARD_PIN_SPI_MOSI, TL_BOARD_ROUTE_SPI_FUNCTION, false, false);
    /* Pulled up: an absent sensor answers 0xFF, which is no WHO_AM_I. */
    pin_function(TL_BOARD_PIN_SPI_MISO, TL_BOARD_ROUTE_SPI_FUNCTION, true, true);
    REG8(DMAC_CHINTENSET(DMA_SPI_RX)) = DMAC_CHINT_TCMPL;
    interrupt_enable(DMAC_IRQ(DMA_SPI_RX), PRIORITY_SENSOR);
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
    REG(PORT_OUTCLR(TL_BOARD_PIN_IMU_CS)) = PORT_BIT(TL_BOARD_PIN_IMU_CS);
    /* Receiving first: sending begins at once, its register is empty. The last byte received ends the transfer. */
    dma_to_ram(DMA_SPI_RX, SERCOM_DMA_RX(TL_BOARD_ROUTE_SPI_SERCOM), SPI + SERCOM_DATA, rx, n);
    dma_from_ram(DMA_SPI_TX, SERCOM_DMA_TX(TL_BOARD_ROUTE_SPI_SERCOM), tx, SPI + SERCOM_DATA, n);
    return true;
}

static void release(void) {
    REG(PORT_OUTSET(TL_BOARD_PIN_IMU_CS)) = PORT_BIT(TL_BOARD_PIN_IMU_CS);
    busy = false;
}

/* Waits for the end of what is under way; gives it up after the limit, so that a restart of the sensor heals a stuck
 * bus too. */
static bool wait_until_free(void) {
    const uint64_t limit = hal_time_us() + TRANSFER_TIMEOUT_US;
    while (busy) {
        if (hal_time_us() > limit) {
            dma_stop(DMA_SPI_TX);
            dma_stop(DMA_SPI_RX);
            while ((REG8(SPI + SERCOM_INTFLAG) & SERCOM_INT_RXC) != 0u) {
                (void)REG(SPI + SERCOM_DATA); /* else the next transfer would begin with it */
            }
            release();
            return false;
        }
    }
    __asm volatile("" ::: "memory"); /* what DMA wrote is read after this */
    return true;
}

bool hal_spi_transfer(const uint8_t *tx, uint8_t *rx, uint32_t n) {
    return wait_until_free() && hal_spi_start(tx, rx, n, 0) && wait_until_free();
}

void DMAC_1_IRQHandler(void);
void DMAC_1_IRQHandler(void) {
    REG8(DMAC_CHINTFLAG(DMA_SPI_RX)) = DMAC_CHINT_TCMPL;
    if (!busy || dma_busy(DMA_SPI_RX)) {
        return; /* the end of a transfer that was given up */
    }
    const hal_spi_done done = on_done;
    release();
    if (done != 0) {
        done();
    }
}
