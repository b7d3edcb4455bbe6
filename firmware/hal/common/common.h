/* What the HALs of all SoCs share, and what it wants of them. Nobody else includes it. */
#ifndef HAL_COMMON_H
#define HAL_COMMON_H

#include <stdbool.h>
#include <stdint.h>

typedef void (*hal_vector)(void);

/* The SoC's own (vectors.c), in section .vectors: where the reset sends VTOR. */
extern const hal_vector hal_vectors[];

/* From the linker script. */
extern uint32_t tl_link_stack_bottom[], tl_link_stack_top[];

void Reset_Handler(void);
void Fault_Handler(void);

/* Entry of every fault; see startup.c. */
_Noreturn void fault_record(const uint32_t *frame, uint32_t exc_return);

void cycles_init(void);

/* One received byte; hal_uart_receive gives it out. For the interrupt of the receiver. */
void received_put(uint8_t byte);

/* A byte that was lost on the way in. For the same interrupt. */
void received_error(void);

#endif
