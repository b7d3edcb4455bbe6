/* GPIO and GPIOTE: the mark pin, the sensor's data-ready edge, or the timer in its place (PS, GPIO; GPIOTE; PPI). */
#include "hal/nrf52840/parts.h"
#include "hal/nrf52840/registers.h"

#include "board_config.h"
#include "hal/hal.h"

static hal_edge on_edge;

void pins_init(void) {
    REG(GPIO_OUTCLR(TL_BOARD_PIN_MARK)) = GPIO_BIT(TL_BOARD_PIN_MARK);
    REG(GPIO_PIN_CNF(TL_BOARD_PIN_MARK)) = GPIO_CNF_OUTPUT;
#ifdef TL_BOARD_PIN_IMU_POWER
    /* The pin feeds the sensor: about a milliampere, more than the standard drive is specified for (PS, GPIO). */
    REG(GPIO_OUTSET(TL_BOARD_PIN_IMU_POWER)) = GPIO_BIT(TL_BOARD_PIN_IMU_POWER);
    REG(GPIO_PIN_CNF(TL_BOARD_PIN_IMU_POWER)) = GPIO_CNF_OUTPUT | GPIO_CNF_STRONG;
#endif
#ifdef TL_BOARD_PIN_BUS_POWER
    REG(GPIO_OUTSET(TL_BOARD_PIN_BUS_POWER)) = GPIO_BIT(TL_BOARD_PIN_BUS_POWER);
    REG(GPIO_PIN_CNF(TL_BOARD_PIN_BUS_POWER)) = GPIO_CNF_OUTPUT | GPIO_CNF_STRONG;
#endif
    /* The edge starts the timer and captures it by itself; how late the interrupt comes does not matter. */
    REG(PPI_TEP(PPI_EDGE)) = TIMER_TASKS_CAPTURE(CC_EDGE);
    REG(PPI_FORK(PPI_EDGE)) = TIMER_TASKS_START;
#if TL_BOARD_IMU_CLOCK_TIMER
    REG(POLL_BITMODE) = TIMER_BITMODE_32;
    REG(POLL_PRESCALER) = TIMER_PRESCALER_1MHZ;
    REG(POLL_CC0) = TL_BOARD_IMU_POLL_US;
    REG(POLL_SHORTS) = POLL_SHORTS_COMPARE0_CLEAR;
    REG(POLL_INTENSET) = POLL_INT_COMPARE0;
    REG(PPI_EEP(PPI_EDGE)) = POLL_EVENTS_COMPARE0;
    interrupt_enable(POLL_IRQ, PRIORITY_SENSOR);
#else
    /* Pulled down: an absent sensor gives no edges, and the LSM6DSO wants INT1 low while it powers up (DS 2, pin list).
     */
    REG(GPIO_PIN_CNF(TL_BOARD_PIN_IMU_INT1)) = GPIO_CNF_INPUT | GPIO_CNF_PULL_DOWN;
    REG(PPI_EEP(PPI_EDGE)) = GPIOTE_EVENTS_IN0;
#endif
    REG(PPI_EEP(PPI_CRYSTAL)) = REG(PPI_EEP(PPI_EDGE));
    REG(PPI_CHENSET) = BIT(PPI_EDGE) | BIT(PPI_CRYSTAL);
    REG(GPIOTE_INTENSET) = GPIOTE_INT_PORT;
    interrupt_enable(GPIOTE_IRQ, PRIORITY_SENSOR);
}

void hal_mark(bool high) {
    REG(high ? GPIO_OUTSET(TL_BOARD_PIN_MARK) : GPIO_OUTCLR(TL_BOARD_PIN_MARK)) = GPIO_BIT(TL_BOARD_PIN_MARK);
}

#if TL_BOARD_IMU_CLOCK_TIMER

void hal_data_ready_start(hal_edge edge) {
    on_edge = edge;
    REG(POLL_TASKS_CLEAR) = TASK_TRIGGER;
    REG(POLL_TASKS_START) = TASK_TRIGGER;
}

void hal_data_ready_stop(void) {
    REG(POLL_TASKS_STOP) = TASK_TRIGGER;
}

void TIMER2_IRQHandler(void);
void TIMER2_IRQHandler(void) {
    event_clear(POLL_EVENTS_COMPARE0);
    on_edge(time_captured(CC_EDGE));
    core_was_interrupted();
}

static void edge_interrupt(void) {}

#else

void hal_data_ready_start(hal_edge edge) {
    on_edge = edge;
    REG(GPIOTE_CONFIG0) =
        GPIOTE_CONFIG_EVENT | ((uint32_t)TL_BOARD_PIN_IMU_INT1 << GPIOTE_CONFIG_PSEL_SHIFT) | GPIOTE_CONFIG_RISING;
    event_clear(GPIOTE_EVENTS_IN0); /* setting CONFIG may raise it (PS, GPIOTE, Pin events and tasks) */
    REG(GPIOTE_INTENSET) = GPIOTE_INT_IN0;
}

void hal_data_ready_stop(void) {
    REG(GPIOTE_INTENCLR) = GPIOTE_INT_IN0;
    REG(GPIOTE_CONFIG0) = 0u;
    event_clear(GPIOTE_EVENTS_IN0);
}

static void edge_interrupt(void) {
    if (REG(GPIOTE_EVENTS_IN0) != 0u) {
        event_clear(GPIOTE_EVENTS_IN0);
        on_edge(time_captured(CC_EDGE));
    }
}

#endif

void GPIOTE_IRQHandler(void);
void GPIOTE_IRQHandler(void) {
    edge_interrupt();
    if (REG(GPIOTE_EVENTS_PORT) != 0u) {
        event_clear(GPIOTE_EVENTS_PORT);
        uart_wake(); /* the receiver's is the only pin that is sensed */
    }
    core_was_interrupted();
}
