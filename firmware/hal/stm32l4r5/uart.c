/* LPUART1 at 1 Mbaud, sending by DMA (RM 54). All transmitting is done by the interrupt, so that one place alone takes
 * frames; the main loop pends it. No signal leads from the last bit to a timer, so the stamp is taken by the interrupt:
 * late by its latency, less than a microsecond unless a higher priority runs. */
#include "hal/stm32l4r5/parts.h"
#include "hal/stm32l4r5/registers.h"

#include "board_config.h"
#include "hal/hal.h"

#if TL_BOARD_CONSOLE_BAUD != 1000000
#error "console.baud: docs/SPEC.md 5 knows 1000000 only"
#endif
#ifndef TL_BOARD_ROUTE_UART_FUNCTION
#error "routing.uart_function: the alternate function that makes the pins LPUART1's"
#endif

static const hal_uart_client *client;
static bool sending;

void hal_uart_start(const hal_uart_client *the_client) {
    client = the_client;
    pin_function(TL_BOARD_PIN_UART_TX, TL_BOARD_ROUTE_UART_FUNCTION, PULL_UP);
    pin_function(TL_BOARD_PIN_UART_RX, TL_BOARD_ROUTE_UART_FUNCTION, PULL_UP);
    REG(LPUART_BRR) = (uint32_t)(256ull * TL_BOARD_CLOCK_HZ / TL_BOARD_CONSOLE_BAUD);
    REG(LPUART_CR3) = LPUART_CR3_EIE | LPUART_CR3_DMAT;
    REG(LPUART_CR1) = LPUART_CR1_ON | LPUART_CR1_RXFNEIE;
    REG(DMAMUX_CCR(DMA_UART_TX)) = DMAMUX_LPUART1_TX;
    REG(DMA_CPAR(DMA_UART_TX)) = LPUART_TDR;
    interrupt_enable(LPUART_IRQ, PRIORITY_UART);
}

void hal_uart_kick(void) {
    interrupt_pend(LPUART_IRQ);
}

static void send_next(void) {
    const uint8_t *bytes = 0;
    const uint32_t n = client->next(&bytes);
    if (n == 0u) {
        return;
    }
    sending = true;
    REG(LPUART_ICR) = LPUART_TC;
    REG(DMA_CCR(DMA_UART_TX)) = 0u;
    REG(DMA_CMAR(DMA_UART_TX)) = (uint32_t)(uintptr_t)bytes;
    REG(DMA_CNDTR(DMA_UART_TX)) = n;
    __asm volatile("dmb" ::: "memory"); /* the frame is written before DMA reads it */
    REG(DMA_CCR(DMA_UART_TX)) = DMA_CCR_MINC | DMA_CCR_FROM_RAM | DMA_CCR_EN;
    REG(LPUART_CR1) |= LPUART_CR1_TCIE;
}

void LPUART1_IRQHandler(void);
void LPUART1_IRQHandler(void) {
    const uint32_t flags = REG(LPUART_ISR);
    if (sending && (flags & LPUART_TC) != 0u) {
        const uint64_t now_us = hal_time_us();
        REG(LPUART_ICR) = LPUART_TC;
        /* The line also rests where DMA was late for a byte; only behind the last one is it over. */
        if (REG(DMA_CNDTR(DMA_UART_TX)) == 0u) {
            REG(LPUART_CR1) &= ~LPUART_CR1_TCIE;
            sending = false;
            client->sent(now_us);
        }
    }
    while ((REG(LPUART_ISR) & LPUART_RXFNE) != 0u) {
        received_put((uint8_t)REG(LPUART_RDR));
    }
    if ((flags & LPUART_ERRORS) != 0u) {
        REG(LPUART_ICR) = LPUART_ERRORS;
        received_error();
    }
    if (!sending) {
        send_next();
    }
}
