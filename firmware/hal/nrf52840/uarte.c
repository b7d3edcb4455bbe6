/* UARTE0 at 1 Mbaud with EasyDMA (PS, UARTE). All transmitting is done by the interrupt, so that one place alone takes
 * frames; the main loop pends it. */
#include "hal/nrf52840/parts.h"
#include "hal/nrf52840/registers.h"

#include "board_config.h"
#include "hal/hal.h"

#if TL_BOARD_CONSOLE_BAUD != 1000000
#error "console.baud: this HAL and docs/SPEC.md 5 know 1000000 only"
#endif

#define LISTEN_US 2000000u /* the receiver stays on for so long after the last byte, and after the start */

static const hal_uart_client *client;
static bool sending;
static bool waiting; /* for the crystal, to send */

/* A waiting receiver keeps the high-frequency clock. It is switched off when the host is silent; its pin then wakes the
 * chip at the next start bit. That byte may be lost, so a host begins with a delimiter (docs/SPEC.md, 5). */
static bool listening;
static bool listen_anew;
static uint64_t listen_until_us;

/* Two one-byte DMA buffers: while the interrupt reads one, the receiver fills the other. In the microseconds between
 * ENDRX and STARTRX the receiver's own FIFO holds what comes (at least four bytes, 40 us). No short from ENDRX to
 * STARTRX: it would latch the pointer of the byte before whenever the interrupt is late. */
static uint8_t landing[2];
static uint32_t landing_now;

void hal_uart_start(const hal_uart_client *the_client) {
    client = the_client;
    REG(GPIO_OUTSET(TL_BOARD_PIN_UART_TX)) = GPIO_BIT(TL_BOARD_PIN_UART_TX); /* idle is high */
    REG(GPIO_PIN_CNF(TL_BOARD_PIN_UART_TX)) = GPIO_CNF_OUTPUT;
    REG(GPIO_PIN_CNF(TL_BOARD_PIN_UART_RX)) = GPIO_CNF_INPUT | GPIO_CNF_PULL_UP;
    REG(UARTE_PSEL_TXD) = TL_BOARD_PIN_UART_TX;
    REG(UARTE_PSEL_RXD) = TL_BOARD_PIN_UART_RX;
    REG(UARTE_PSEL_RTS) = PSEL_DISCONNECTED;
    REG(UARTE_PSEL_CTS) = PSEL_DISCONNECTED;
    REG(UARTE_BAUDRATE) = UARTE_BAUDRATE_1M;
    REG(UARTE_CONFIG) = UARTE_CONFIG_8N1;
    REG(UARTE_ENABLE) = UARTE_ENABLE_ON;

    REG(PPI_EEP(PPI_SENT)) = UARTE_EVENTS_ENDTX;
    REG(PPI_TEP(PPI_SENT)) = TIMER_TASKS_CAPTURE(CC_SENT);
    REG(PPI_CHENSET) = BIT(PPI_SENT);

    REG(UARTE_INTENSET) = UARTE_INT_ENDRX | UARTE_INT_ENDTX | UARTE_INT_ERROR;
    interrupt_enable(UARTE_IRQ, PRIORITY_UART);
    REG(UARTE_RXD_PTR) = (uint32_t)(uintptr_t)&landing[landing_now];
    REG(UARTE_RXD_MAXCNT) = 1u;
    uart_wake();
}

void uart_wake(void) {
    REG(GPIO_PIN_CNF(TL_BOARD_PIN_UART_RX)) = GPIO_CNF_INPUT | GPIO_CNF_PULL_UP;
    listen_anew = true;
    if (!listening) {
        listening = true;
        REG(UARTE_TASKS_STARTRX) = TASK_TRIGGER;
    }
}

bool uart_rests(void) {
    if (listening && !sending && !waiting) {
        const uint64_t now_us = hal_time_us();
        if (listen_anew) {
            listen_anew = false;
            listen_until_us = now_us + LISTEN_US;
        } else if (now_us >= listen_until_us) {
            listening = false;
            REG(UARTE_TASKS_STOPRX) = TASK_TRIGGER;
            REG(GPIO_PIN_CNF(TL_BOARD_PIN_UART_RX)) = GPIO_CNF_INPUT | GPIO_CNF_PULL_UP | GPIO_CNF_SENSE_LOW;
        }
    }
    return !listening && !sending && !waiting;
}

void hal_uart_kick(void) {
    interrupt_pend(UARTE_IRQ);
}

static void receive_one(void) {
    if (REG(UARTE_RXD_AMOUNT) == 0u) {
        return; /* the receiver was switched off */
    }
    listen_anew = true;
    const uint32_t done = landing_now;
    landing_now ^= 1u;
    REG(UARTE_RXD_PTR) = (uint32_t)(uintptr_t)&landing[landing_now];
    REG(UARTE_TASKS_STARTRX) = TASK_TRIGGER;
    received_put(*(volatile uint8_t *)&landing[done]);
}

static void send_next(void) {
    waiting = !clock_is_exact();
    if (waiting) {
        return; /* called again when it is */
    }
    const uint8_t *bytes = 0;
    const uint32_t n = client->next(&bytes);
    if (n == 0u) {
        return;
    }
    sending = true;
    REG(UARTE_TXD_PTR) = (uint32_t)(uintptr_t)bytes;
    REG(UARTE_TXD_MAXCNT) = n;
    __asm volatile("dmb" ::: "memory"); /* the frame is written before DMA reads it */
    REG(UARTE_TASKS_STARTTX) = TASK_TRIGGER;
}

void UARTE0_IRQHandler(void);
void UARTE0_IRQHandler(void) {
    core_was_interrupted();
    if (REG(UARTE_EVENTS_ENDRX) != 0u) {
        event_clear(UARTE_EVENTS_ENDRX);
        receive_one();
    }
    if (REG(UARTE_EVENTS_ERROR) != 0u) {
        event_clear(UARTE_EVENTS_ERROR);
        REG(UARTE_ERRORSRC) = REG(UARTE_ERRORSRC); /* cleared by writing 1 */
        received_error();
    }
    if (REG(UARTE_EVENTS_ENDTX) != 0u) {
        event_clear(UARTE_EVENTS_ENDTX);
        sending = false;
        client->sent(time_captured(CC_SENT));
    }
    if (!sending) {
        send_next();
    }
}
