/* The console: CMSDK UART 0, a byte at a time (DDI 0479, 4.5). All transmitting is done by the interrupt, so that one
 * place alone takes frames; the main loop pends it. */
#include "hal/mps2/parts.h"
#include "hal/mps2/registers.h"

#include <stdatomic.h>

#include "board_config.h"
#include "hal/hal.h"

#define RECEIVED_BYTES 1024u /* a power of two; 10 ms of the line: the main loop looks once a sample */

static const hal_uart_client *client;
static const uint8_t *sending;
static uint32_t left; /* of what is being sent */

static uint8_t received[RECEIVED_BYTES];
static _Atomic uint32_t received_written, received_taken, receive_errors;

void hal_uart_start(const hal_uart_client *the_client) {
    client = the_client;
    REG(UART_BAUDDIV(CONSOLE)) = TL_BOARD_CLOCK_HZ / TL_BOARD_CONSOLE_BAUD;
    REG(UART_CTRL(CONSOLE)) = UART_CTRL_TX | UART_CTRL_RX | UART_CTRL_TX_IRQ | UART_CTRL_RX_IRQ;
    interrupt_enable(CONSOLE_TX_IRQ, PRIORITY_UART);
    interrupt_enable(CONSOLE_RX_IRQ, PRIORITY_UART);
}

void hal_uart_kick(void) {
    interrupt_pend(CONSOLE_TX_IRQ);
}

/* A byte goes out when there is room for it. QEMU's UART takes no time for a byte and so is always ready: a frame leaves
 * in one go. */
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

static void count_error(void) {
    atomic_fetch_add_explicit(&receive_errors, 1u, memory_order_relaxed);
}

void uart_take(void) {
    if ((REG(UART_STATE(CONSOLE)) & UART_STATE_RX_OVERRUN) != 0u) {
        REG(UART_STATE(CONSOLE)) = UART_STATE_RX_OVERRUN; /* cleared by writing 1 */
        count_error();
    }
    const uint8_t byte = (uint8_t)REG(UART_DATA(CONSOLE));
    const uint32_t written = atomic_load_explicit(&received_written, memory_order_relaxed);
    if (written - atomic_load_explicit(&received_taken, memory_order_acquire) >= RECEIVED_BYTES) {
        count_error();
        return;
    }
    received[written % RECEIVED_BYTES] = byte;
    atomic_store_explicit(&received_written, written + 1u, memory_order_release);
}

void UART0_RX_IRQHandler(void);
void UART0_RX_IRQHandler(void) {
    REG(UART_INTCLEAR(CONSOLE)) = UART_INT_RX;
    sleep_not();
    if ((REG(UART_STATE(CONSOLE)) & UART_STATE_RX_FULL) != 0u) {
        uart_take();
    }
}

bool hal_uart_received(void) {
    return atomic_load_explicit(&received_written, memory_order_acquire) !=
           atomic_load_explicit(&received_taken, memory_order_relaxed);
}

bool hal_uart_receive(uint8_t *byte) {
    if (!hal_uart_received()) {
        return false;
    }
    const uint32_t taken = atomic_load_explicit(&received_taken, memory_order_relaxed);
    *byte = received[taken % RECEIVED_BYTES];
    atomic_store_explicit(&received_taken, taken + 1u, memory_order_release);
    return true;
}

uint32_t hal_uart_receive_errors(void) {
    return atomic_load_explicit(&receive_errors, memory_order_relaxed);
}
