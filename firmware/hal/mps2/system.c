/* Start of the HAL, reset cause, sleep, and the mark, which is the board's LED 0. */
#include "hal/mps2/parts.h"
#include "hal/mps2/registers.h"
#include "hal/mps2/test_bench.h"

#include "hal/hal.h"

/* RAM is random after power-on, and stays over a reset. */
#define ALIVE 0x414C4956u
#define BITTEN 0x42495445u

__attribute__((section(".noinit"))) static struct {
    uint32_t alive, bitten;
} last_words;

typedef enum { RESET_POWER_ON, RESET_SOFTWARE, RESET_WATCHDOG } reset_cause;

static reset_cause started_after;
static volatile bool woken;

void reset_is_the_watchdogs(void) {
    last_words.bitten = BITTEN;
    __asm volatile("dsb" ::: "memory");
}

void reset_init(void) {
    if (last_words.alive == ALIVE) {
        started_after = last_words.bitten == BITTEN ? RESET_WATCHDOG : RESET_SOFTWARE;
    }
    last_words.alive = ALIVE;
    last_words.bitten = 0u;
}

const char *hal_reset_reason(void) {
    switch (started_after) {
    case RESET_WATCHDOG:
        return "Started after a watchdog reset.";
    case RESET_SOFTWARE:
        return "Started after a software reset.";
    case RESET_POWER_ON:
        break;
    }
    return "Started after power-on.";
}

bool hal_init(void) {
    reset_init();
    time_init();
    watchdog_init();
    bench_init();
    __asm volatile("cpsie i" ::: "memory");
    return true;
}

void hal_mark(bool high) {
    REG(FPGA_LED0) = high ? 1u : 0u;
}

void sleep_not(void) {
    woken = true;
}

/* WFI, not WFE: QEMU takes WFE for a NOP on this core. An interrupt that is pending ends WFI although PRIMASK keeps it
 * from being taken, so none is missed between the look and the sleep. */
void hal_sleep(void) {
    __asm volatile("cpsid i" ::: "memory");
    if (!woken) {
        __asm volatile("dsb\n wfi" ::: "memory");
    }
    woken = false;
    __asm volatile("cpsie i" ::: "memory");
}
