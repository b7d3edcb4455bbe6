/* Reset: everything between power-on and main(). */
#include "hal/common/common.h"
#include "hal/common/core.h"

#include "hal/hal.h"

/* From the linker script. */
extern uint32_t tl_link_data_load[], tl_link_data_start[], tl_link_data_end[];
extern uint32_t tl_link_bss_start[], tl_link_bss_end[];
extern uint32_t tl_link_init_start[], tl_link_init_end[]; /* addresses of constructors */

int main(void);

#define STACK_PAINT 0xA5A5A5A5u
#define PAINT_MARGIN 64u /* bytes below the stack pointer that are left alone */

void Reset_Handler(void) {
    REG(SCB_CPACR) |= SCB_CPACR_FPU; /* before any floating-point instruction (DDI 0403E, B3.2.20) */
    /* A bootloader leaves the table of its own here. */
    REG(SCB_VTOR) = (uint32_t)(uintptr_t)hal_vectors;
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
    for (uintptr_t at = (uintptr_t)tl_link_init_start; at < (uintptr_t)tl_link_init_end; at += sizeof(hal_vector)) {
        (*(const hal_vector *)at)();
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
