/* The device side of the test IMU, and time that waits for the host (test_bench.h). Runs in timer 1's interrupt, above
 * everything else. */
#include "hal/mps2/test_bench.h"
#include "hal/mps2/parts.h"
#include "hal/mps2/registers.h"

#include "board_config.h"
#include "hal/hal.h"

#define CLOCKS_PER_US (TL_BOARD_CLOCK_HZ / 1000000u)
#define WAIT_MAX_US 1000000u
#define LOOKS_APART 4096u /* rounds of five instructions */

static uint64_t base_us; /* since power-on, of the last reset */
static hal_edge on_edge;

static uint64_t now_us(void) {
    return base_us + hal_time_us();
}

void bench_note_time(void) {
    BENCH->now_us = now_us();
}

void hal_data_ready_start(hal_edge edge) {
    on_edge = edge;
}

void hal_data_ready_stop(void) {
    on_edge = 0;
}

/* Not asleep: QEMU's time jumps from one timer to the next then, and its watchdog's never stops. Nor does it look all
 * the time: each look takes the lock that QEMU needs to bring the byte. An instruction takes 32 ns under QEMU, the
 * counters tick every 40: each round has a multiple of five instructions, so that however many there are, time goes on
 * at the same phase of the tick, and runs repeat to the bit. */
static void wait_for_byte(uint32_t uart) {
    uint32_t scratch, left;
    __asm volatile("1: ldr %[scratch], [%[state]]\n"
                   "tst %[scratch], %[full]\n"
                   "bne 3f\n"
                   "str %[never], [%[watchdog]]\n"
                   "mov %[left], %[rounds]\n"
                   "2: nop\n"
                   "nop\n"
                   "nop\n"
                   "subs %[left], #1\n"
                   "bne 2b\n"
                   "nop\n"
                   "nop\n"
                   "nop\n"
                   "nop\n"
                   "b 1b\n"
                   "3:\n"
                   : [scratch] "=&r"(scratch), [left] "=&r"(left)
                   : [state] "r"(UART_STATE(uart)), [full] "i"(UART_STATE_RX_FULL), [watchdog] "r"(WDT_LOAD),
                     [never] "r"(0xFFFFFFFFu), [rounds] "i"(LOOKS_APART)
                   : "memory", "cc");
}

/* The granted time is over. What the host sent meanwhile is taken off the line before time goes on, so that it arrives
 * at the same time in every run. */
static void ask_the_host(void) {
    time_freeze();
    watchdog_freeze();
    REG(UART_DATA(BELL)) = 'T';
    wait_for_byte(BELL);
    (void)REG(UART_DATA(BELL));
    for (uint32_t n = BENCH->input; n > 0u; n--) {
        wait_for_byte(CONSOLE);
        uart_take();
    }
    BENCH->input = 0u;
    watchdog_thaw();
    time_thaw();
}

static void deliver(volatile const bench_sample *sample) {
    const uint64_t t_us = sample->t_us;
    if ((BENCH->control & 1u) == 0u || on_edge == 0 || t_us < base_us) {
        BENCH->ignored++;
        return;
    }
    for (uint32_t i = 0; i < 6u; i++) {
        BENCH->out[i] = sample->code[i];
    }
    BENCH->delivered++;
    on_edge(t_us - base_us);
}

static void end_of_the_granted_time(void) {
    const uint32_t command = BENCH->command;
    BENCH->command = BENCH_RUN;
    if (command == BENCH_RESET) {
        REG(SCB_AIRCR) = SCB_AIRCR_RESET;
    }
    while (command != BENCH_RUN) {
    }
    ask_the_host();
}

static void wait_until(uint64_t t_us, uint64_t now) {
    const uint64_t wait = t_us - now;
    REG(TIMER_RELOAD(IMU_TIMER)) = 0u;
    REG(TIMER_VALUE(IMU_TIMER)) = (uint32_t)(wait < WAIT_MAX_US ? wait : WAIT_MAX_US) * CLOCKS_PER_US;
    REG(TIMER_CTRL(IMU_TIMER)) = TIMER_CTRL_ON;
}

void TIMER1_IRQHandler(void);
void TIMER1_IRQHandler(void) {
    REG(TIMER_INTCLEAR(IMU_TIMER)) = 1u;
    sleep_not();
    for (;;) {
        const uint64_t now = now_us();
        BENCH->now_us = now; /* a reset goes on from here */
        const uint64_t until = BENCH->until_us;
        const uint32_t taken = BENCH->taken;
        const bool waits = taken != BENCH->queued;
        volatile const bench_sample *next = &BENCH->queue[taken % BENCH_QUEUE_ENTRIES];
        const uint64_t due = waits && next->t_us < until ? next->t_us : until;
        if (now < due) {
            wait_until(due, now);
            return;
        }
        if (due == until) {
            end_of_the_granted_time();
        } else {
            deliver(next);
            BENCH->taken = taken + 1u;
        }
    }
}

void bench_init(void) {
    base_us = BENCH->now_us;
    BENCH->starts++;
    BENCH->control = 0u;
    REG(UART_BAUDDIV(BELL)) = TL_BOARD_CLOCK_HZ / TL_BOARD_CONSOLE_BAUD;
    REG(UART_CTRL(BELL)) = UART_CTRL_TX | UART_CTRL_RX;
    (void)REG(UART_DATA(BELL)); /* QEMU does not look for bytes after a reset until a read makes it */
    interrupt_enable(IMU_IRQ, PRIORITY_SENSOR);
    interrupt_pend(IMU_IRQ);
}
