/* Vector table and reset of a bench image: everything stored is done once, then the core stops at a breakpoint. */
#include <stdint.h>

#include "bench/bench.h"

/* From bench.ld. */
extern uint32_t tl_link_stack_top[];
extern uint32_t tl_link_data_load[], tl_link_data_start[], tl_link_data_end[];
extern uint32_t tl_link_bss_start[], tl_link_bss_end[];
extern uint32_t tl_link_init_start[], tl_link_init_end[]; /* addresses of constructors */

void Reset_Handler(void);
void Fault_Handler(void);

#define WORD(address) (*(volatile uint32_t *)(uintptr_t)(address))
#define SCB_CPACR 0xE000ED88u
#define SCB_CPACR_FPU (0xFu << 20)

typedef void (*vector)(void);

__attribute__((section(".vectors"), used)) static const vector vectors[16] = {
    [0] = (vector)tl_link_stack_top,
    [1] = Reset_Handler,
    [2 ... 15] = Fault_Handler,
};

void Reset_Handler(void) {
    WORD(SCB_CPACR) |= SCB_CPACR_FPU;
    __asm volatile("dsb\n isb" ::: "memory");
    const uint32_t *from = tl_link_data_load;
    for (uintptr_t at = (uintptr_t)tl_link_data_start; at < (uintptr_t)tl_link_data_end; at += sizeof(uint32_t)) {
        WORD(at) = *from++;
    }
    for (uintptr_t at = (uintptr_t)tl_link_bss_start; at < (uintptr_t)tl_link_bss_end; at += sizeof(uint32_t)) {
        WORD(at) = 0u;
    }
    for (uintptr_t at = (uintptr_t)tl_link_init_start; at < (uintptr_t)tl_link_init_end; at += sizeof(vector)) {
        (*(const vector *)at)();
    }
    if (bench_setup() == 0) {
        for (uint32_t i = 0; i < bench_count; ++i) {
            (void)bench_step();
        }
    }
    __asm volatile("bkpt 0");
    for (;;) {
    }
}

void Fault_Handler(void) {
    for (;;) {
    }
}
