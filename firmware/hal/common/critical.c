/* Interrupts off and on (DDI 0403E, B1.4.3 PRIMASK). */
#include "hal/hal.h"

uint32_t hal_critical_enter(void) {
    uint32_t before;
    __asm volatile("mrs %0, primask\n cpsid i" : "=r"(before)::"memory");
    return before;
}

void hal_critical_leave(uint32_t before) {
    __asm volatile("msr primask, %0" ::"r"(before) : "memory");
}
