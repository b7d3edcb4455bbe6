/* Start-up for the emulator's test programs: a vector table with weak handlers, FPU on, then main() and a breakpoint.
 * A program says NO_FPU before including to leave the FPU off. */
#ifndef START_H
#define START_H

#include <stdint.h>

#define REG(address) (*(volatile uint32_t *)(uintptr_t)(address))
#define REG8(address) (*(volatile uint8_t *)(uintptr_t)(address))
#define CYCCNT REG(0xE0001004u)

int main(void);
void Reset_Handler(void);
void Stop_Handler(void);

extern uint32_t stack_top[], data_load[], data_start[], data_end[], bss_start[], bss_end[];

__attribute__((used)) void Stop_Handler(void) { __asm volatile("bkpt 99"); }

/* Handlers that a program does not have are Stop_Handler (test.ld). */
void HardFault_Handler(void), BusFault_Handler(void), UsageFault_Handler(void), SVC_Handler(void), PendSV_Handler(void), SysTick_Handler(void), UARTE0_Handler(void), GPIOTE_Handler(void), TIMER0_Handler(void), TIMER1_Handler(void), RTC0_Handler(void), SPIM2_Handler(void), SWI0_Handler(void), SWI1_Handler(void);

__attribute__((section(".vectors"), used)) static void (*const vectors[64])(void) = {
    [0] = (void (*)(void))stack_top,
    [1] = Reset_Handler,
    [2] = Stop_Handler,
    [3] = HardFault_Handler,
    [5] = BusFault_Handler,
    [6] = UsageFault_Handler,
    [11] = SVC_Handler,
    [14] = PendSV_Handler,
    [15] = SysTick_Handler,
    [16 + 2] = UARTE0_Handler,
    [16 + 6] = GPIOTE_Handler,
    [16 + 8] = TIMER0_Handler,
    [16 + 9] = TIMER1_Handler,
    [16 + 11] = RTC0_Handler,
    [16 + 20] = SWI0_Handler,
    [16 + 21] = SWI1_Handler,
    [16 + 35] = SPIM2_Handler,
};

void Reset_Handler(void) {
    uint32_t *from = data_load;
    for (uint32_t *to = data_start; to < data_end; to++) {
        *to = *from++;
    }
    for (uint32_t *to = bss_start; to < bss_end; to++) {
        *to = 0;
    }
#ifndef NO_FPU
    REG(0xE000ED88u) |= 0xFu << 20;
    __asm volatile("dsb\n isb");
#endif
    main();
    __asm volatile("bkpt 0");
    for (;;) {
    }
}

static inline void cyccnt_on(void) {
    REG(0xE000EDFCu) |= 1u << 24;
    REG(0xE0001000u) |= 1u;
}

static inline void irq_on(uint32_t irq, uint8_t priority) {
    REG8(0xE000E400u + irq) = priority;
    REG(0xE000E100u + 4u * (irq / 32u)) = 1u << (irq % 32u);
}

static inline void irq_pend(uint32_t irq) {
    REG(0xE000E200u + 4u * (irq / 32u)) = 1u << (irq % 32u);
    __asm volatile("dsb\n isb" ::: "memory");
}

#endif
