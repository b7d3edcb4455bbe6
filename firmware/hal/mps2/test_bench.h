/* The test bench: a page of PSRAM that the host shares (toolchain/emulator/qemu/page.py has the same layout), and a
 * bell.
 *
 * The host queues IMU samples with their times and says until when time may go on. There the board stops its clocks,
 * rings (a byte on UART 1), waits until the host rings back, and goes on as if no time had passed: what the board does
 * depends on what it was given and on nothing else. Times here are microseconds since power-on; the firmware's are
 * since reset. */
#ifndef HAL_MPS2_TEST_BENCH_H
#define HAL_MPS2_TEST_BENCH_H

#include <stdbool.h>
#include <stdint.h>

#define BENCH_PAGE 0x21000000u
#define BENCH_FORMAT 0x31424C54u /* TLB1 */
#define BENCH_QUEUE_ENTRIES 65536u

typedef enum {
    BENCH_RUN = 0,
    BENCH_RESET = 1, /* reset when the time is over, whatever is running */
    BENCH_HANG = 2,  /* never leave the interrupt then: only the watchdog helps */
} bench_command;

typedef struct {
    uint64_t t_us;
    int16_t code[6]; /* ax ay az gx gy gz */
    uint32_t unused;
} bench_sample;

typedef struct {
    /* The test IMU's registers, as its driver sees them (sensors/replay.c). */
    uint32_t identity; /* host */
    uint32_t control;  /* driver: bit 0 on */
    uint32_t status;   /* host: bit 0 the bus is stuck */
    int16_t out[6];    /* the last sample */
    uint32_t unused0[2];
    /* Time. */
    uint32_t format;   /* host */
    uint32_t command;  /* host: a bench_command */
    uint64_t until_us; /* host: time may go on until then */
    uint64_t now_us;   /* board: when it rang */
    uint32_t starts;   /* board: since power-on */
    uint32_t input;    /* host: bytes on their way to the console; the board waits for them before time goes on */
    /* The queue. */
    uint32_t queued;    /* host: samples put in, modulo 2^32 */
    uint32_t taken;     /* board: samples taken out */
    uint32_t delivered; /* board: data-ready edges given to the firmware */
    uint32_t ignored;   /* board: samples that came while the IMU was off or nobody listened */
    uint32_t unused1[8];
    bench_sample queue[BENCH_QUEUE_ENTRIES];
} bench_page;

#define BENCH ((volatile bench_page *)(uintptr_t)BENCH_PAGE)

/* The board starts: takes up the time of before a reset. */
void bench_init(void);

/* Last words before a reset: what time it was. */
void bench_note_time(void);

#endif
