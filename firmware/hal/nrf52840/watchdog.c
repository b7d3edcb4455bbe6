/* The watchdog (PS 6.36 WDT): counts the 32.768 kHz clock, which it starts itself, awake and asleep; it stands still
 * while a debugger holds the core. Once started it cannot be stopped but by a reset. */
#include "hal/nrf52840/parts.h"
#include "hal/nrf52840/registers.h"

#include "hal/hal.h"

#define LFCLK_HZ 32768u

void watchdog_init(void) {
    REG(WDT_CONFIG) = WDT_CONFIG_RUN_IN_SLEEP;
    REG(WDT_CRV) = HAL_WATCHDOG_US / 1000u * LFCLK_HZ / 1000u - 1u;
    REG(WDT_RREN) = BIT(0);
    REG(WDT_TASKS_START) = TASK_TRIGGER;
}

void hal_watchdog_feed(void) {
    REG(WDT_RR0) = WDT_RELOAD;
}
