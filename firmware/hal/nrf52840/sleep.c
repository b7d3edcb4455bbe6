/* System ON sleep (PS, POWER; DDI 0403E, B1.5.18). */
#include "hal/nrf52840/registers.h"

#include "hal/hal.h"

#define FPSCR_EXCEPTIONS 0x9Fu /* input denormal, inexact, underflow, overflow, division by zero, invalid operation */

void hal_sleep(void) {
    /* Anomaly 87: a pending FPU exception keeps its interrupt line up, and with it the core awake. Inexact results are
     * normal here, so the flags are set after every step. */
    uint32_t fpscr;
    __asm volatile("vmrs %0, fpscr" : "=r"(fpscr));
    if ((fpscr & FPSCR_EXCEPTIONS) != 0u) {
        __asm volatile("vmsr fpscr, %0" ::"r"(fpscr & ~FPSCR_EXCEPTIONS));
        REG(NVIC_ICPR(FPU_IRQ)) = NVIC_BIT(FPU_IRQ);
    }
    /* WFE, not WFI: every exception entry and return sets the event register (B1.5.18), so an interrupt that came
     * between the caller's last look and here makes WFE return at once. */
    __asm volatile("dsb\n wfe" ::: "memory");
}
