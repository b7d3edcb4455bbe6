/* The FPGA's counter as a free-running 32-bit microsecond counter, extended to 64 bits; timer 0 as the alarm. */
#include "hal/mps2/parts.h"
#include "hal/mps2/registers.h"

#include "board_config.h"
#include "hal/hal.h"
#include "hal/stamp.h"

#define CLOCKS_PER_US (TL_BOARD_CLOCK_HZ / 1000000u)
#define ALARM_MAX_US 100000000u /* 100 s of clocks fit 32 bits; the main loop's alarm is at most a second away */

/* A recent time, moved on by every hal_time_us. Read and written with interrupts off: it is two words. */
static uint64_t recent_us;

static volatile bool alarm_ended;

static struct {
    uint32_t counter, prescale, cycles, alarm, alarm_on;
} frozen;

void time_init(void) {
    REG(FPGA_PRESCALE) = FPGA_PRESCALE_1MHZ;
    REG(FPGA_PRESCALE_COUNTER) = FPGA_PRESCALE_1MHZ;
    REG(FPGA_COUNTER) = 0u;
    REG(DUALTIMER_LOAD) = 0xFFFFFFFFu;
    REG(DUALTIMER_CTRL) = DUALTIMER_CTRL_ON;
    interrupt_enable(ALARM_IRQ, PRIORITY_ALARM);
}

void time_freeze(void) {
    frozen.counter = REG(FPGA_COUNTER);
    frozen.prescale = REG(FPGA_PRESCALE_COUNTER);
    frozen.cycles = REG(DUALTIMER_VALUE);
    frozen.alarm = REG(TIMER_VALUE(ALARM_TIMER));
    frozen.alarm_on = REG(TIMER_CTRL(ALARM_TIMER));
    REG(TIMER_CTRL(ALARM_TIMER)) = 0u;
}

void time_thaw(void) {
    REG(TIMER_VALUE(ALARM_TIMER)) = frozen.alarm;
    REG(TIMER_CTRL(ALARM_TIMER)) = frozen.alarm_on;
    REG(DUALTIMER_LOAD) = frozen.cycles;
    REG(FPGA_PRESCALE_COUNTER) = frozen.prescale;
    REG(FPGA_COUNTER) = frozen.counter;
}

uint64_t hal_time_us(void) {
    const uint32_t before = hal_critical_enter();
    const uint64_t now = hal_stamp_extend(recent_us, REG(FPGA_COUNTER));
    recent_us = now;
    hal_critical_leave(before);
    return now;
}

/* One shot: the reload value 0 stops the timer at zero. */
void hal_alarm_at(uint64_t t_us) {
    const uint64_t now = hal_time_us();
    if (t_us <= now) {
        REG(TIMER_CTRL(ALARM_TIMER)) = 0u;
        interrupt_pend(ALARM_IRQ);
        return;
    }
    const uint64_t wait = t_us - now;
    REG(TIMER_RELOAD(ALARM_TIMER)) = 0u;
    REG(TIMER_VALUE(ALARM_TIMER)) = (uint32_t)(wait < ALARM_MAX_US ? wait : ALARM_MAX_US) * CLOCKS_PER_US;
    REG(TIMER_CTRL(ALARM_TIMER)) = TIMER_CTRL_ON;
}

/* Waking the core is what the alarm is for. */
void TIMER0_IRQHandler(void);
void TIMER0_IRQHandler(void) {
    REG(TIMER_INTCLEAR(ALARM_TIMER)) = 1u;
    alarm_ended = true;
    sleep_not();
}

bool hal_alarm_ended(void) {
    if (!alarm_ended) {
        return false;
    }
    /* One that ends between these two lines is not lost: whoever asks acts on it now. */
    alarm_ended = false;
    return true;
}

/* Cycles of the system clock. Under QEMU they count virtual time, so many to an instruction, and not cycles. */
uint32_t hal_cycles(void) {
    return 0u - REG(DUALTIMER_VALUE);
}
