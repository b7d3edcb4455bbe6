/* GPIO and GPIOTE: the mark pin, the sensor's data-ready edge (PS, GPIO; GPIOTE; PPI). */
#include "hal/nrf52840/parts.h"
#include "hal/nrf52840/registers.h"

#include "board_config.h"
#include "hal/hal.h"

static hal_edge on_edge;

void pins_init(void) {
    REG(GPIO_OUTCLR(TL_BOARD_PIN_MARK)) = GPIO_BIT(TL_BOARD_PIN_MARK);
    REG(GPIO_PIN_CNF(TL_BOARD_PIN_MARK)) = GPIO_CNF_OUTPUT;
    /* Pulled down: an absent sensor gives no edges, and the LSM6DSO wants INT1 low while it powers up (DS 2, pin list).
     */
    REG(GPIO_PIN_CNF(TL_BOARD_PIN_IMU_INT1)) = GPIO_CNF_INPUT | GPIO_CNF_PULL_DOWN;

    /* The edge captures the time by itself; how late the interrupt comes does not matter. */
    REG(PPI_EEP(PPI_EDGE)) = GPIOTE_EVENTS_IN0;
    REG(PPI_TEP(PPI_EDGE)) = TIMER_TASKS_CAPTURE(CC_EDGE);
    REG(PPI_CHENSET) = BIT(PPI_EDGE);
    interrupt_enable(GPIOTE_IRQ, PRIORITY_SENSOR);
}

void hal_mark(bool high) {
    REG(high ? GPIO_OUTSET(TL_BOARD_PIN_MARK) : GPIO_OUTCLR(TL_BOARD_PIN_MARK)) = GPIO_BIT(TL_BOARD_PIN_MARK);
}

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

void GPIOTE_IRQHandler(void);
void GPIOTE_IRQHandler(void) {
    if (REG(GPIOTE_EVENTS_IN0) != 0u) {
        event_clear(GPIOTE_EVENTS_IN0);
        on_edge(time_captured(CC_EDGE));
    }
}
