/* CMSDK watchdog (DDI 0479, 4.6): an NMI at the first zero, a reset at the second. */
#include "hal/mps2/parts.h"
#include "hal/mps2/registers.h"
#include "hal/mps2/test_bench.h"

#include "board_config.h"
#include "hal/hal.h"

#define LOAD_CLOCKS (TL_BOARD_CLOCK_HZ / 1000u * (HAL_WATCHDOG_US / 1000u))
#define LAST_CLOCKS (TL_BOARD_CLOCK_HZ / 1000u) /* from the NMI to the reset: a millisecond */

static uint32_t frozen_clocks;

void watchdog_init(void) {
    REG(WDT_LOCK) = WDT_LOCK_OPEN;
    REG(WDT_LOAD) = LOAD_CLOCKS;
    REG(WDT_CONTROL) = WDT_CONTROL_ON;
}

void hal_watchdog_feed(void) {
    REG(WDT_LOAD) = LOAD_CLOCKS; /* counts from there at once */
}

/* QEMU's watchdog counts whether it is enabled or not, and remembers a second zero: it must not come. */
void watchdog_freeze(void) {
    frozen_clocks = REG(WDT_VALUE);
    REG(WDT_CONTROL) = 0u;
    REG(WDT_LOAD) = 0xFFFFFFFFu;
}

void watchdog_thaw(void) {
    REG(WDT_INTCLR) = 1u;
    REG(WDT_LOAD) = frozen_clocks;
    REG(WDT_CONTROL) = WDT_CONTROL_ON;
}

void NMI_Handler(void);
void NMI_Handler(void) {
    bench_note_time();
    reset_is_the_watchdogs();
    REG(WDT_LOAD) = LAST_CLOCKS;
    for (;;) {
    }
}
