/* The vector table (MC 10.2, Nested Vector Interrupt Controller: interrupt numbers). */
#include "board_config.h"
#include "hal/common/common.h"
#include "hal/samd51/parts.h"
#include "hal/samd51/registers.h"

#define PERIPHERAL_INTERRUPTS 137
#define UART_IRQ SERCOM_IRQ(TL_BOARD_ROUTE_UART_SERCOM)

void TC0_IRQHandler(void);
void DMAC_1_IRQHandler(void);
void uart_sent_IRQHandler(void);
void uart_received_IRQHandler(void);
void uart_other_IRQHandler(void);

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
    [16 + DMAC_IRQ(DMA_SPI_RX)] = DMAC_1_IRQHandler,
    [16 + TC_IRQ] = TC0_IRQHandler,
    [16 + UART_IRQ + 1] = uart_sent_IRQHandler,
    [16 + UART_IRQ + 2] = uart_received_IRQHandler,
    [16 + UART_IRQ + 3] = uart_other_IRQHandler,
};
#pragma GCC diagnostic pop
/* clang-format on */
