/* The watchdog (MC 20): 2,048 periods of the internal 1.024 kHz clock, awake and asleep. */
#include "hal/samd51/parts.h"
#include "hal/samd51/registers.h"

#include "hal/hal.h"

_Static_assert(HAL_WATCHDOG_US == 2000000u, "the period below is 2 s");

void watchdog_init(void) {
    REG8(WDT_CTRLA) = 0u; /* CONFIG is protected while it runs */
    sync_wait(WDT_SYNCBUSY);
    REG8(WDT_CONFIG) = WDT_CONFIG_PER_2048;
    REG8(WDT_CTRLA) = WDT_ENABLE;
    sync_wait(WDT_SYNCBUSY);
}

void hal_watchdog_feed(void) {
    if (REG(WDT_SYNCBUSY) == 0u) { /* one that is under way does as well, and a write into it would be a bus fault */
        REG8(WDT_CLEAR) = WDT_CLEAR_KEY;
    }
}
