/* What the files of this HAL offer each other; nobody else includes it. */
#ifndef HAL_MPS2_PARTS_H
#define HAL_MPS2_PARTS_H

#include <stdint.h>

void reset_init(void);

typedef enum { RESET_POWER_ON = 0, RESET_SOFTWARE = 1, RESET_WATCHDOG = 2 } reset_cause;

/* The chip has no register for it: whoever resets the board on purpose leaves the cause in RAM. */
void reset_because(reset_cause cause);

void time_init(void);

/* Clocks stand still between the two; no interrupt may run in between. */
void time_freeze(void);
void time_thaw(void);

void watchdog_init(void);
void watchdog_freeze(void);
void watchdog_thaw(void);

/* A byte that has arrived at the console, by whoever reads it first. */
void uart_take(void);

/* An interrupt came: hal_sleep returns at once. */
void sleep_not(void);

/* Entry of every fault; see startup.c. */
_Noreturn void fault_record(const uint32_t *frame, uint32_t exc_return);

#endif
