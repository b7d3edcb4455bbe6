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
void watchdog_init(void);

/* The 64-bit stamp in capture register n, which hardware took less than 35 minutes ago. */
uint64_t time_captured(uint32_t n);

#endif
