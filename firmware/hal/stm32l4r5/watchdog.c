/* The independent watchdog (RM 44): 1,000 periods of 32 kHz / 64, awake and asleep; it stands still while a debugger
 * holds the core. Once started it cannot be stopped but by a reset. */
#include "hal/stm32l4r5/parts.h"
#include "hal/stm32l4r5/registers.h"

#include "hal/hal.h"

void watchdog_init(void) {
    REG(DBGMCU_APB1FZR1) |= DBGMCU_APB1FZR1_IWDG;
    REG(IWDG_KR) = IWDG_KR_START;
    REG(IWDG_KR) = IWDG_KR_UNLOCK;
    REG(IWDG_PR) = IWDG_PR_64;
    REG(IWDG_RLR) = HAL_WATCHDOG_US / 2000u - 1u;
    REG(IWDG_KR) = IWDG_KR_FEED;
}

void hal_watchdog_feed(void) {
    REG(IWDG_KR) = IWDG_KR_FEED;
}
