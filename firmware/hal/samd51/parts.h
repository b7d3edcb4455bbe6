/* What the files of this HAL offer each other; nobody else includes it. */
#ifndef HAL_SAMD51_PARTS_H
#define HAL_SAMD51_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "hal/common/common.h"

bool clock_init(void);
void time_init(void);
void pins_init(void);
void dma_init(void);
void bus_init(void);
void watchdog_init(void);

/* Gives a pin to a peripheral function: 0 is A, 1 is B and so on (MC 6, I/O multiplexing). */
void pin_function(uint32_t pin, uint32_t function, bool pull, bool pull_up);

/* Clocks and resets a SERCOM. */
void sercom_on(uint32_t number);

/* What a DMA channel does here; the number is the channel's. */
typedef enum { DMA_UART_TX = 0, DMA_SPI_RX = 1, DMA_SPI_TX = 2 } dma_channel;

/* Moves n bytes between RAM and a peripheral's data register, one for each of its requests. */
void dma_from_ram(dma_channel channel, uint32_t trigger, const uint8_t *from, uint32_t data, uint32_t n);
void dma_to_ram(dma_channel channel, uint32_t trigger, uint32_t data, uint8_t *to, uint32_t n);
bool dma_busy(dma_channel channel);
void dma_stop(dma_channel channel);

/* The capture of the data-ready edge on or off; `edge` as in hal.h. */
void time_capture_start(void (*edge)(uint64_t t_us));
void time_capture_stop(void);

#endif
