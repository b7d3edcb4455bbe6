/* The vector table (Application Note 386, interrupts). */
#include "hal/common/common.h"
#include "hal/mps2/registers.h"

#define PERIPHERAL_INTERRUPTS 32

void NMI_Handler(void);
void UART0_RX_IRQHandler(void);
void UART0_TX_IRQHandler(void);
void TIMER0_IRQHandler(void);
void TIMER1_IRQHandler(void);

/* clang-format off */
/* Whatever has no handler is a fault: an interrupt that nobody enabled must not pass silently. */
__attribute__((section(".vectors"), used)) const hal_vector hal_vectors[16 + PERIPHERAL_INTERRUPTS] = {
    [0] = (hal_vector)tl_link_stack_top,
    [1] = Reset_Handler,
    [2] = NMI_Handler,         /* the watchdog */
    [3 ... 6] = Fault_Handler, /* hard, memory management, bus, usage */
    [11] = Fault_Handler,      /* SVCall */
    [12] = Fault_Handler,      /* debug monitor */
    [14] = Fault_Handler,      /* PendSV */
    [15] = Fault_Handler,      /* SysTick */
    [16 + CONSOLE_RX_IRQ] = UART0_RX_IRQHandler,
    [16 + CONSOLE_TX_IRQ] = UART0_TX_IRQHandler,
    [17 + CONSOLE_TX_IRQ ... 15 + ALARM_IRQ] = Fault_Handler,
    [16 + ALARM_IRQ] = TIMER0_IRQHandler,
    [16 + IMU_IRQ] = TIMER1_IRQHandler,
    [17 + IMU_IRQ ... 15 + PERIPHERAL_INTERRUPTS] = Fault_Handler,
};
/* clang-format on */
