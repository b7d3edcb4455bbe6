/* PORT, EIC and EVSYS: the mark pin, the sensor's data-ready edge (MC 32, 27, 31). */
#include "hal/samd51/parts.h"
#include "hal/samd51/registers.h"

#include "board_config.h"
#include "hal/hal.h"

#if TL_BOARD_IMU_CLOCK_TIMER
#error "imu.clock: the SAMD51's HAL has no timer in the place of data-ready"
#endif
#ifndef TL_BOARD_ROUTE_INT1_EXTINT
#error "routing.int1_extint: the EIC line of pins.imu_int1, 0 to 15"
#endif

#define LINE TL_BOARD_ROUTE_INT1_EXTINT

void pin_function(uint32_t pin, uint32_t function, bool pull, bool pull_up) {
    REG(pull_up ? PORT_OUTSET(pin) : PORT_OUTCLR(pin)) = PORT_BIT(pin);
    const uint32_t shift = 4u * (pin % 2u);
    REG8(PORT_PMUX(pin)) = (uint8_t)((REG8(PORT_PMUX(pin)) & ~(0xFu << shift)) | (function << shift));
    REG8(PORT_PINCFG(pin)) = (uint8_t)(PORT_PINCFG_PMUXEN | PORT_PINCFG_INEN | (pull ? PORT_PINCFG_PULLEN : 0u));
}

void pins_init(void) {
    REG(PORT_OUTCLR(TL_BOARD_PIN_MARK)) = PORT_BIT(TL_BOARD_PIN_MARK);
    REG(PORT_DIRSET(TL_BOARD_PIN_MARK)) = PORT_BIT(TL_BOARD_PIN_MARK);
#ifdef TL_BOARD_PIN_IMU_POWER
    REG(PORT_OUTSET(TL_BOARD_PIN_IMU_POWER)) = PORT_BIT(TL_BOARD_PIN_IMU_POWER);
    REG(PORT_DIRSET(TL_BOARD_PIN_IMU_POWER)) = PORT_BIT(TL_BOARD_PIN_IMU_POWER);
#endif
    /* Pulled down: an absent sensor gives no edges. */
    pin_function(TL_BOARD_PIN_IMU_INT1, PIN_FUNCTION_EIC, true, false);

    /* The edge captures the time by itself; how late the interrupt comes does not matter. */
    REG(EIC_CONFIG(LINE)) = EIC_SENSE_RISE(LINE);
    REG(EIC_EVCTRL) = BIT(LINE);
    REG(EVSYS_USER_TC0) = 1u; /* channel 0, counted from 1 */
    REG(EVSYS_CHANNEL0) = EVSYS_EVGEN_EXTINT(LINE) | EVSYS_PATH_ASYNCHRONOUS;
}

void hal_mark(bool high) {
    REG(high ? PORT_OUTSET(TL_BOARD_PIN_MARK) : PORT_OUTCLR(TL_BOARD_PIN_MARK)) = PORT_BIT(TL_BOARD_PIN_MARK);
}

void hal_data_ready_start(hal_edge edge) {
    time_capture_start(edge);
    REG8(EIC_CTRLA) = EIC_ENABLE;
    sync_wait(EIC_SYNCBUSY);
}

void hal_data_ready_stop(void) {
    REG8(EIC_CTRLA) = 0u;
    sync_wait(EIC_SYNCBUSY);
    time_capture_stop();
}
