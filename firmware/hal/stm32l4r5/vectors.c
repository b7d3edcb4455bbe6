/* The vector table (RM 16.3, STM32L4+ vector table). */
#include "hal/common/common.h"
#include "hal/stm32l4r5/parts.h"
#include "hal/stm32l4r5/registers.h"

#define PERIPHERAL_INTERRUPTS 95

void TIM5_IRQHandler(void);
void DMA1_Channel1_IRQHandler(void);
void LPUART1_IRQHandler(void);

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
    [16 + DMA_IRQ(DMA_SPI_RX)] = DMA1_Channel1_IRQHandler,
    [16 + TIM_IRQ] = TIM5_IRQHandler,
    [16 + LPUART_IRQ] = LPUART1_IRQHandler,
};
#pragma GCC diagnostic pop
/* clang-format on */
