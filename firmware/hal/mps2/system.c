/* Start of the HAL, reset cause, sleep, and the mark, which is the board's LED 0. */
#include "hal/mps2/parts.h"
#include "hal/mps2/registers.h"
#include "hal/mps2/test_bench.h"

#include "hal/hal.h"

#define CAUSE_VALID 0x43415500u

__attribute__((section(".noinit"))) static struct {
    uint32_t cause, check; /* RAM is random after power-on */
} last_words;

static reset_cause started_after;
static volatile bool woken;

void reset_because(reset_cause cause) {
    last_words.cause = CAUSE_VALID | cause;
    last_words.check = ~last_words.cause;
    __asm volatile("dsb" ::: "memory");
}

void reset_init(void) {
    const bool known = last_words.cause == ~last_words.check && (last_words.cause & ~0xFFu) == CAUSE_VALID;
    started_after = known ? (reset_cause)(last_words.cause & 0xFFu) : RESET_POWER_ON;
    last_words.cause = 0u;
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
