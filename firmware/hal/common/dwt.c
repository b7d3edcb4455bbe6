/* The core's cycle counter (DDI 0403E, C1.8). Debug logic need not be there, and in an emulator often is not. */
#include "hal/common/common.h"
#include "hal/common/core.h"

#include "hal/hal.h"

void cycles_init(void) {
    REG(SCB_DEMCR) |= SCB_DEMCR_TRCENA;
    REG(DWT_CYCCNT) = 0u;
    REG(DWT_CTRL) |= DWT_CTRL_CYCCNTENA;
}

uint32_t hal_cycles(void) {
    return REG(DWT_CYCCNT);
}

bool hal_cycles_move(void) {
    const uint32_t before = hal_cycles();
    for (uint32_t i = 0; i < 16u; i++) {
        __asm volatile("nop");
    }
    return hal_cycles() != before;
}
