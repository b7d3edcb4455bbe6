/* SERCOM as UART at 1 Mbaud, sending by DMA (MC 34). All transmitting is done by the interrupts, which have one
 * priority, so that one place alone takes frames; the main loop pends one. The SERCOM gives no event at its last bit,
 * so the stamp is taken by the interrupt: late by its latency, a microsecond unless a higher priority runs. */
#include "hal/samd51/parts.h"
#include "hal/samd51/registers.h"

#include "board_config.h"
#include "hal/hal.h"

#if TL_BOARD_CONSOLE_BAUD != 1000000
#error "console.baud: docs/SPEC.md 5 knows 1000000 only"
#endif
#if !defined(TL_BOARD_ROUTE_UART_SERCOM) || !defined(TL_BOARD_ROUTE_UART_FUNCTION)
#error "routing: uart_sercom (0 to 7) and uart_function (2 is C, 3 is D) say which SERCOM the pins belong to"
#endif
#if !defined(TL_BOARD_ROUTE_UART_RX_PAD) || TL_BOARD_ROUTE_UART_RX_PAD < 1 || TL_BOARD_ROUTE_UART_RX_PAD > 3
#error "routing.uart_rx_pad: 1 to 3 (TX is pad 0)"
#endif

#define UART SERCOM(TL_BOARD_ROUTE_UART_SERCOM)
#define UART_SENT_IRQ (SERCOM_IRQ(TL_BOARD_ROUTE_UART_SERCOM) + 1u)
#define UART_RECEIVED_IRQ (SERCOM_IRQ(TL_BOARD_ROUTE_UART_SERCOM) + 2u)
#define UART_OTHER_IRQ (SERCOM_IRQ(TL_BOARD_ROUTE_UART_SERCOM) + 3u)
/* MC 33.6.2.3: BAUD = 65536 * (1 - 16 * rate / clock), rounded; 999,985 baud. */
#define BAUD (65536u - (uint32_t)((65536ull * 16u * TL_BOARD_CONSOLE_BAUD + GCLK_SERIAL_HZ / 2u) / GCLK_SERIAL_HZ))

static const hal_uart_client *client;
static bool sending;

void hal_uart_start(const hal_uart_client *the_client) {
    client = the_client;
    sercom_on(TL_BOARD_ROUTE_UART_SERCOM);
    REG(UART + SERCOM_CTRLA) =
        SERCOM_CTRLA_USART | SERCOM_CTRLA_RXPO(TL_BOARD_ROUTE_UART_RX_PAD) | SERCOM_CTRLA_LSB_FIRST;
    REG(UART + SERCOM_CTRLB) = SERCOM_CTRLB_TXEN | SERCOM_CTRLB_RXEN;
    sync_wait(UART + SERCOM_SYNCBUSY);
    REG16(UART + SERCOM_BAUD) = (uint16_t)BAUD;
    REG(UART + SERCOM_CTRLA) |= SERCOM_CTRLA_ENABLE;
    sync_wait(UART + SERCOM_SYNCBUSY);
    pin_function(TL_BOARD_PIN_UART_TX, TL_BOARD_ROUTE_UART_FUNCTION, false, true);
    pin_function(TL_BOARD_PIN_UART_RX, TL_BOARD_ROUTE_UART_FUNCTION, true, true);
    REG8(UART + SERCOM_INTENSET) = SERCOM_INT_RXC | SERCOM_INT_ERROR;
    interrupt_enable(UART_SENT_IRQ, PRIORITY_UART);
    interrupt_enable(UART_RECEIVED_IRQ, PRIORITY_UART);
    interrupt_enable(UART_OTHER_IRQ, PRIORITY_UART);
}

void hal_uart_kick(void) {
    interrupt_pend(UART_SENT_IRQ);
}

static void send_next(void) {
    const uint8_t *bytes = 0;
    const uint32_t n = client->next(&bytes);
    if (n == 0u) {
        return;
    }
    sending = true;
    REG8(UART + SERCOM_INTFLAG) = SERCOM_INT_TXC;
    dma_from_ram(DMA_UART_TX, SERCOM_DMA_TX(TL_BOARD_ROUTE_UART_SERCOM), bytes, UART + SERCOM_DATA, n);
    REG8(UART + SERCOM_INTENSET) = SERCOM_INT_TXC;
}

void uart_sent_IRQHandler(void);
void uart_sent_IRQHandler(void) {
    if (sending && (REG8(UART + SERCOM_INTFLAG) & SERCOM_INT_TXC) != 0u) {
        const uint64_t now_us = hal_time_us();
        REG8(UART + SERCOM_INTFLAG) = SERCOM_INT_TXC;
        /* The line also rests where DMA was late for a byte; only behind the last one is it over. */
        if (!dma_busy(DMA_UART_TX)) {
            REG8(UART + SERCOM_INTENCLR) = SERCOM_INT_TXC;
            sending = false;
            client->sent(now_us);
        }
    }
    if (!sending) {
        send_next();
    }
}

void uart_received_IRQHandler(void);
void uart_received_IRQHandler(void) {
    while ((REG8(UART + SERCOM_INTFLAG) & SERCOM_INT_RXC) != 0u) {
        received_put((uint8_t)REG(UART + SERCOM_DATA));
    }
}

void uart_other_IRQHandler(void);
void uart_other_IRQHandler(void) {
    REG16(UART + SERCOM_STATUS) = REG16(UART + SERCOM_STATUS); /* cleared by writing 1 */
    REG8(UART + SERCOM_INTFLAG) = SERCOM_INT_ERROR;
    received_error();
}
