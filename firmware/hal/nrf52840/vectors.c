/* The vector table (PS, Instantiation: interrupt numbers). */
#include "board_config.h"
#include "hal/common/common.h"
#include "hal/nrf52840/registers.h"

#define PERIPHERAL_INTERRUPTS 48

void UARTE0_IRQHandler(void);
void GPIOTE_IRQHandler(void);
void POWER_CLOCK_IRQHandler(void);
void RTC1_IRQHandler(void);
void TIMER3_IRQHandler(void);
void TIMER2_IRQHandler(void);
void SPIM2_IRQHandler(void);
void TWIM0_IRQHandler(void);

/* clang-format off */
/* Whatever has no handler is a fault: an interrupt that nobody enabled must not pass silently. Of two initializers for
 * one place the later holds (C11, 6.7.9). */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverride-init"
__attribute__((section(".vectors"), used)) const hal_vector hal_vectors[16 + PERIPHERAL_INTERRUPTS] = {
    [0] = (hal_vector)tl_link_stack_top,
    [1] = Reset_Handler,
    [2 ... 6] = Fault_Handler, /* NMI, hard, memory management, bus, usage */
    [11] = Fault_Handler,      /* SVCall */
    [12] = Fault_Handler,      /* debug monitor */
    [14] = Fault_Handler,      /* PendSV */
    [15] = Fault_Handler,      /* SysTick */
    [16 ... 15 + PERIPHERAL_INTERRUPTS] = Fault_Handler,
    [16 + UARTE_IRQ] = UARTE0_IRQHandler,
    [16 + CLOCK_IRQ] = POWER_CLOCK_IRQHandler,
    [16 + TIMER_IRQ] = TIMER3_IRQHandler,
    [16 + RTC_IRQ] = RTC1_IRQHandler,
    [16 + GPIOTE_IRQ] = GPIOTE_IRQHandler,
#if TL_BOARD_IMU_CLOCK_TIMER
    [16 + POLL_IRQ] = TIMER2_IRQHandler,
#endif
#ifdef TL_BOARD_IMU_BUS_I2C
    [16 + TWIM_IRQ] = TWIM0_IRQHandler,
#else
    [16 + SPIM_IRQ] = SPIM2_IRQHandler,
#endif
};
#pragma GCC diagnostic pop
/* clang-format on */
