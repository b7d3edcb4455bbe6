/* What the main loop and the sensor drivers ask of a chip. One folder per SoC implements it.
 *
 * Interrupt priorities, highest first: data-ready and SPI (one level, so neither interrupts the other), UART, alarm.
 * Functions are for the main loop unless they say otherwise. */
#ifndef HAL_H
#define HAL_H

#include <stdbool.h>
#include <stdint.h>

/* Power, clocks, pins, time and cycle counter; interrupts are on afterwards. False: the crystal did not start, and
 * stamps and baud rate have the accuracy of the internal oscillator only. */
bool hal_init(void);

/* Why the chip was reset, in words; known after hal_init. */
const char *hal_reset_reason(void);

/* ---- time -------------------------------------------------------------------------------------------------------- */

/* Microseconds since reset. Also for interrupts. Somebody must ask at least every three minutes. */
uint64_t hal_time_us(void);

/* Ends hal_sleep at `t_us` (at most three minutes ahead; at once if it has passed). One alarm; the last call counts. */
void hal_alarm_at(uint64_t t_us);

/* Whether an alarm has ended since the last call. */
bool hal_alarm_ended(void);

/* Core cycles, wrapping; differences up to 2^32 - 1 are right. */
uint32_t hal_cycles(void);

/* Whether the cycle counter really counts: false when the chip or the emulator does not have it. */
bool hal_cycles_move(void);

/* Sleeps until an interrupt. An interrupt since the last hal_sleep makes it return at once, so that the pattern
 * "nothing to do? then sleep" loses no wake-up. */
void hal_sleep(void);

/* The watchdog runs from hal_init on, in sleep too. Whoever does not come by for HAL_WATCHDOG_US is reset, and
 * hal_reset_reason says so afterwards. The main loop comes by at least once a second. */
#define HAL_WATCHDOG_US 2000000u
void hal_watchdog_feed(void);

/* Interrupts off and back to what they were; keep it short. */
uint32_t hal_critical_enter(void);
void hal_critical_leave(uint32_t before);

/* ---- pins -------------------------------------------------------------------------------------------------------- */

/* The pin that outside instruments look at. */
void hal_mark(bool high);

/* Called in the interrupt of every rising edge of the sensor's data-ready pin; `t_us` is the edge's, taken by hardware.
 * Where that pin is not wired (clock = "timer"), every TL_BOARD_IMU_POLL_US instead: ask the sensor. */
typedef void (*hal_edge)(uint64_t t_us);
void hal_data_ready_start(hal_edge edge);
void hal_data_ready_stop(void);

/* ---- SPI (the sensor's bus; buffers must lie in RAM) --------------------------------------------------------------
 */

/* Called in the interrupt at the end of a transfer, with chip select already high. */
typedef void (*hal_spi_done)(void);

/* Starts a full-duplex transfer of n (1..255) bytes. Also for the data-ready interrupt. False: one is under way. */
bool hal_spi_start(const uint8_t *tx, uint8_t *rx, uint32_t n, hal_spi_done done);

/* The same, waiting for the end, after that of one under way. False: one of them did not end within a millisecond (it
 * was then stopped). */
bool hal_spi_transfer(const uint8_t *tx, uint8_t *rx, uint32_t n);

/* ---- I2C (the sensor's bus on other boards; buffers must lie in RAM) ---------------------------------------------
 */

/* Called in the interrupt at the end of a transfer. False: the part did not acknowledge. */
typedef void (*hal_i2c_done)(bool acknowledged);

/* Starts writing n_tx (1..255) bytes to a part's 7-bit address and, with n_rx > 0, reading n_rx (0..255) after a
 * repeated start. Also for the data-ready interrupt. False: one is under way. */
bool hal_i2c_start(uint8_t address, const uint8_t *tx, uint32_t n_tx, uint8_t *rx, uint32_t n_rx, hal_i2c_done done);

/* The same, waiting for the end, after that of one under way. False: no acknowledge, or no end within three
 * milliseconds (it was then stopped, and the bus freed). */
bool hal_i2c_transfer(uint8_t address, const uint8_t *tx, uint32_t n_tx, uint8_t *rx, uint32_t n_rx);

/* ---- UART (the console) ------------------------------------------------------------------------------------------ */

typedef struct {
    /* In the interrupt: the next bytes to send, in RAM and unchanged until `sent`; returns how many, 0 for none. */
    uint32_t (*next)(const uint8_t **bytes);
    /* In the interrupt: the bytes last given by `next` have left; `t_us` is the end of the last one, taken by hardware
     * where the SoC can, else at the start of the interrupt. */
    void (*sent)(uint64_t t_us);
} hal_uart_client;

void hal_uart_start(const hal_uart_client *client);

/* Something may have become ready for `next`. */
void hal_uart_kick(void);

/* One received byte; false when there is none. */
bool hal_uart_receive(uint8_t *byte);

/* Whether a received byte waits. */
bool hal_uart_received(void);

/* Bytes lost on the way in: framing errors, breaks, overruns of the receiver or of its buffer. */
uint32_t hal_uart_receive_errors(void);

/* ---- trouble ------------------------------------------------------------------------------------------------------
 */

/* Bytes of the main stack that were never used since reset. */
uint32_t hal_stack_unused(void);

/* A fault stores a record and resets the chip. Describes the record of the last fault as text (not terminated) once;
 * returns its length, 0 when there was none. */
uint32_t hal_fault_take(char *text, uint32_t capacity);

#endif
