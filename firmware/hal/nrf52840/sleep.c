/* System ON sleep (PS, POWER; DDI 0403E, B1.5.19). */
#include "hal/nrf52840/parts.h"
#include "hal/nrf52840/registers.h"

#include "hal/hal.h"

#define FPSCR_EXCEPTIONS 0x9Fu /* input denormal, inexact, underflow, overflow, division by zero, invalid operation */

static volatile bool interrupted;

void core_was_interrupted(void) {
    interrupted = true;
}

void hal_sleep(void) {
    /* Anomaly 87: a pending FPU exception keeps its interrupt line up, and with it the core awake. Inexact results are
     * normal here, so the flags are set after every step. */
    uint32_t fpscr;
    __asm volatile("vmrs %0, fpscr" : "=r"(fpscr));
    if ((fpscr & FPSCR_EXCEPTIONS) != 0u) {
        __asm volatile("vmsr fpscr, %0" ::"r"(fpscr & ~FPSCR_EXCEPTIONS));
        REG(NVIC_ICPR(FPU_IRQ)) = NVIC_BIT(FPU_IRQ);
    }
    /* Interrupts off: one that comes after the look at the flag still ends WFI, and is taken after it. */
    const uint32_t before = hal_critical_enter();
    if (!interrupted) {
        /* Nothing moves: no high-frequency clock is kept. */
        if (!bus_moves() && uart_rests() && time_stop()) {
            clock_rest();
        }
        __asm volatile("dsb\n wfi" ::: "memory");
    }
    interrupted = false;
    hal_critical_leave(before);
}
