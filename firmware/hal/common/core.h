/* The core's registers that every HAL uses, from the Armv7-M Architecture Reference Manual (ARM DDI 0403E). */
#ifndef HAL_COMMON_CORE_H
#define HAL_COMMON_CORE_H

#include <stdint.h>

#define REG(address) (*(volatile uint32_t *)(uintptr_t)(address))
#define BIT(n) (1u << (n))
#define REG8(address) (*(volatile uint8_t *)(uintptr_t)(address))
#define REG16(address) (*(volatile uint16_t *)(uintptr_t)(address))

/* Core: NVIC, system control block, debug (DDI 0403E, B3.4, B3.2, C1.6, C1.8). */
#define NVIC_ISER(irq) (0xE000E100u + 4u * ((irq) / 32u))
#define NVIC_ISPR(irq) (0xE000E200u + 4u * ((irq) / 32u))
#define NVIC_ICPR(irq) (0xE000E280u + 4u * ((irq) / 32u))
#define NVIC_IPR(irq) (*(volatile uint8_t *)(uintptr_t)(0xE000E400u + (irq)))
#define NVIC_BIT(irq) BIT((irq) % 32u)
#define SCB_AIRCR 0xE000ED0Cu
#define SCB_AIRCR_RESET 0x05FA0004u /* VECTKEY, SYSRESETREQ */
#define SCB_VTOR 0xE000ED08u
#define SCB_CCR 0xE000ED14u
#define SCB_CCR_DIV_0_TRP BIT(4)
#define SCB_SHCSR 0xE000ED24u
#define SCB_SHCSR_FAULTS (BIT(16) | BIT(17) | BIT(18)) /* memory management, bus, usage */
#define SCB_CFSR 0xE000ED28u
#define SCB_HFSR 0xE000ED2Cu
#define SCB_MMFAR 0xE000ED34u
#define SCB_BFAR 0xE000ED38u
#define SCB_CPACR 0xE000ED88u
#define SCB_CPACR_FPU (0xFu << 20) /* CP10 and CP11, full access */
#define SCB_DEMCR 0xE000EDFCu
#define SCB_DEMCR_TRCENA BIT(24)
#define DWT_CTRL 0xE0001000u
#define DWT_CTRL_CYCCNTENA BIT(0)
#define DWT_CYCCNT 0xE0001004u

/* Interrupt priorities: of the bits that a SoC implements (three or four) the topmost three. */
#define PRIORITY_SENSOR (1u << 5)
#define PRIORITY_UART (2u << 5)
#define PRIORITY_ALARM (3u << 5)

static inline void interrupt_enable(uint32_t irq, uint8_t priority) {
    NVIC_IPR(irq) = priority;
    REG(NVIC_ICPR(irq)) = NVIC_BIT(irq);
    REG(NVIC_ISER(irq)) = NVIC_BIT(irq);
}

static inline void interrupt_pend(uint32_t irq) {
    REG(NVIC_ISPR(irq)) = NVIC_BIT(irq);
}

#endif
