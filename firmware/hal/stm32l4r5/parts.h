/* What the files of this HAL offer each other; nobody else includes it. */
#ifndef HAL_STM32L4R5_PARTS_H
#define HAL_STM32L4R5_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "hal/common/common.h"

bool clock_init(void);
void time_init(void);
void pins_init(void);
void bus_init(void);
void watchdog_init(void);

typedef enum { PULL_NONE = 0, PULL_UP = 1, PULL_DOWN = 2 } pin_pull;

void pin_output(uint32_t pin, bool high);

/* Gives a pin to an alternate function (data sheet DS12023, chapter 4). */
void pin_function(uint32_t pin, uint32_t function, pin_pull pull);

/* What a DMA channel does here; the number is the channel's. */
enum { DMA_SPI_RX = 1, DMA_SPI_TX = 2, DMA_UART_TX = 3 };

#endif
