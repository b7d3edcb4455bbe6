/* What the files of this HAL offer each other; nobody else includes it. */
#ifndef HAL_NRF52840_PARTS_H
#define HAL_NRF52840_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "hal/common/common.h"

bool clock_init(void);
void approtect_keep_open(void);
void time_init(void);
void pins_init(void);
void bus_init(void);

/* ---- sleep: each part says whether it can do without a high-frequency clock; with interrupts off ---- */

/* Whether a transfer is under way. */
bool bus_moves(void);

/* Whether nothing is sent and nobody listens; the receiver is switched off when the host was silent for a while. */
bool uart_rests(void);

/* The host begins to send to a receiver that is off. For the interrupt of its pin. */
void uart_wake(void);

/* Stops the timer until something asks for the time; false: it must run on, and so must sleep be light. */
bool time_stop(void);

/* The crystal may stop. */
void clock_rest(void);

/* Whether the crystal's clock is there; if not it is started, and UARTE's interrupt pended once it is. */
bool clock_is_exact(void);

/* Every interrupt handler calls this: the main loop looks again before it sleeps. */
void core_was_interrupted(void);

/* Above the sensor's: see time.c. */
#define PRIORITY_TICK 0u

/* The 64-bit stamp in capture register n, which hardware took less than 35 minutes ago. */
uint64_t time_captured(uint32_t n);

#endif
