/* Vector table and reset: everything between power-on and main(). */
#include "hal/mps2/parts.h"
#include "hal/mps2/registers.h"

#include "hal/hal.h"

/* From the linker script. */
extern uint32_t tl_link_stack_bottom[], tl_link_stack_top[];
extern uint32_t tl_link_data_load[], tl_link_data_start[], tl_link_data_end[];
extern uint32_t tl_link_bss_start[], tl_link_bss_end[];
extern uint32_t tl_link_init_start[], tl_link_init_end[]; /* addresses of constructors */

int main(void);
void Reset_Handler(void);
void Fault_Handler(void);
void NMI_Handler(void);
void UART0_RX_IRQHandler(void);
void UART0_TX_IRQHandler(void);
void TIMER0_IRQHandler(void);
void TIMER1_IRQHandler(void);

#define STACK_PAINT 0xA5A5A5A5u
#define PAINT_MARGIN 64u         /* bytes below the stack pointer that are left alone */
#define PERIPHERAL_INTERRUPTS 32 /* Application Note 386, interrupts */

typedef void (*vector)(void);

/* clang-format off */
/* Whatever has no handler is a fault: an interrupt that nobody enabled must not pass silently. */
__attribute__((section(".vectors"), used)) static const vector vectors[16 + PERIPHERAL_INTERRUPTS] = {
    [0] = (vector)tl_link_stack_top,
    [1] = Reset_Handler,
    [2] = NMI_Handler,
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

void Reset_Handler(void) {
    REG(SCB_CPACR) |= SCB_CPACR_FPU; /* before any floating-point instruction (DDI 0403E, B3.2.20) */
    __asm volatile("dsb\n isb" ::: "memory");

    /* Addresses, not pointers: C does not compare pointers into different objects. */
    uintptr_t here;
    __asm volatile("mov %0, sp" : "=r"(here));
    for (uintptr_t at = (uintptr_t)tl_link_stack_bottom; at < here - PAINT_MARGIN; at += sizeof(uint32_t)) {
        REG(at) = STACK_PAINT; /* for hal_stack_unused */
    }
    const uint32_t *from = tl_link_data_load;
    for (uintptr_t at = (uintptr_t)tl_link_data_start; at < (uintptr_t)tl_link_data_end; at += sizeof(uint32_t)) {
        REG(at) = *from++;
    }
    for (uintptr_t at = (uintptr_t)tl_link_bss_start; at < (uintptr_t)tl_link_bss_end; at += sizeof(uint32_t)) {
        REG(at) = 0u;
    }
    /* Each fault gets its own exception, so that the record tells them apart; an integer division by zero is one. */
    REG(SCB_SHCSR) |= SCB_SHCSR_FAULTS;
    REG(SCB_CCR) |= SCB_CCR_DIV_0_TRP;
    for (uintptr_t at = (uintptr_t)tl_link_init_start; at < (uintptr_t)tl_link_init_end; at += sizeof(vector)) {
        (*(const vector *)at)();
    }
    (void)main();
    for (;;) {
    }
}

/* The stack may be what failed (it lies at the bottom of RAM: an overflow leaves RAM and is a bus fault), so the record
 * is made on a fresh one. */
__attribute__((naked)) void Fault_Handler(void) {
    __asm volatile("mrs r0, msp\n"
                   "mov r1, lr\n"
                   "ldr r2, =tl_link_stack_top\n"
                   "mov sp, r2\n"
                   "b fault_record\n");
}

uint32_t hal_stack_unused(void) {
    const uintptr_t bottom = (uintptr_t)tl_link_stack_bottom;
    uintptr_t at = bottom;
    while (at < (uintptr_t)tl_link_stack_top && REG(at) == STACK_PAINT) {
        at += sizeof(uint32_t);
    }
    return (uint32_t)(at - bottom);
}
