/* What the files of this HAL offer each other; nobody else includes it. */
#ifndef HAL_MPS2_PARTS_H
#define HAL_MPS2_PARTS_H

#include <stdint.h>

void reset_init(void);

/* The chip has no register for it: the watchdog's interrupt leaves word in RAM. */
void reset_is_the_watchdogs(void);

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

#endif
