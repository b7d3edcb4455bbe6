/* Idle sleep, all clocks on (MC 18 PM: the mode after reset; DDI 0403E, B1.5.18). */
#include "hal/hal.h"

void hal_sleep(void) {
    /* WFE, not WFI: every exception entry and return sets the event register (B1.5.18), so an interrupt that came
     * between the caller's last look and here makes WFE return at once. */
    __asm volatile("dsb\n wfe" ::: "memory");
}
