/* The console: CMSDK UART 0, a byte at a time (DDI 0479, 4.5). All transmitting is done by the interrupt, so that one
 * place alone takes frames; the main loop pends it. */
#include "hal/common/common.h"
#include "hal/mps2/parts.h"
#include "hal/mps2/registers.h"

#include "board_config.h"
#include "hal/hal.h"

static const hal_uart_client *client;
static const uint8_t *sending;
static uint32_t left; /* of what is being sent */

void hal_uart_start(const hal_uart_client *the_client) {
    client = the_client;
    REG(UART_BAUDDIV(CONSOLE)) = TL_BOARD_CLOCK_HZ / TL_BOARD_CONSOLE_BAUD;
    REG(UART_CTRL(CONSOLE)) = UART_CTRL_TX | UART_CTRL_RX | UART_CTRL_TX_IRQ | UART_CTRL_RX_IRQ;
    (void)REG(UART_DATA(CONSOLE)); /* QEMU does not look for bytes after a reset until a read makes it */
    interrupt_enable(CONSOLE_TX_IRQ, PRIORITY_UART);
    interrupt_enable(CONSOLE_RX_IRQ, PRIORITY_UART);
}

void hal_uart_kick(void) {
    interrupt_pend(CONSOLE_TX_IRQ);
}

/* A byte goes out when there is room for it. QEMU's UART takes no time for a byte and so is always ready: a frame
 * leaves in one go. */
void UART0_TX_IRQHandler(void);
void UART0_TX_IRQHandler(void) {
    REG(UART_INTCLEAR(CONSOLE)) = UART_INT_TX;
    sleep_not();
    while ((REG(UART_STATE(CONSOLE)) & UART_STATE_TX_FULL) == 0u) {
        if (left == 0u) {
            if (sending != 0) {
                sending = 0;
                client->sent(hal_time_us());
            }
            left = client->next(&sending);
            if (left == 0u) {
                sending = 0;
                return;
            }
        }
        REG(UART_DATA(CONSOLE)) = *sending;
        sending++;
        left--;
    }
}

void uart_take(void) {
    if ((REG(UART_STATE(CONSOLE)) & UART_STATE_RX_OVERRUN) != 0u) {
        REG(UART_STATE(CONSOLE)) = UART_STATE_RX_OVERRUN; /* cleared by writing 1 */
        received_error();
    }
    received_put((uint8_t)REG(UART_DATA(CONSOLE)));
}

void UART0_RX_IRQHandler(void);
void UART0_RX_IRQHandler(void) {
    REG(UART_INTCLEAR(CONSOLE)) = UART_INT_RX;
    sleep_not();
    if ((REG(UART_STATE(CONSOLE)) & UART_STATE_RX_FULL) != 0u) {
        uart_take();
    }
}
