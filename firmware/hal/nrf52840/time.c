/* TIMER1 as a free-running 32-bit microsecond counter, extended to 64 bits (PS, TIMER). */
#include "hal/nrf52840/parts.h"
#include "hal/nrf52840/registers.h"

#include "hal/hal.h"
#include "hal/stamp.h"

/* A recent time, moved on by every hal_time_us. The main loop's alarm is never more than a second away, so it is never
 * 35 minutes old. Read and written with interrupts off: it is two words. */
static uint64_t recent_us;

static volatile bool alarm_ended;

void time_init(void) {
    REG(TIMER_MODE) = TIMER_MODE_TIMER;
    REG(TIMER_BITMODE) = TIMER_BITMODE_32;
    REG(TIMER_PRESCALER) = TIMER_PRESCALER_1MHZ;
    REG(TIMER_TASKS_CLEAR) = TASK_TRIGGER;
    REG(TIMER_TASKS_START) = TASK_TRIGGER;
    REG(TIMER_INTENSET) = TIMER_INT_COMPARE(CC_ALARM);
    interrupt_enable(TIMER_IRQ, PRIORITY_ALARM);
}

uint64_t hal_time_us(void) {
    const uint32_t before = hal_critical_enter();
    REG(TIMER_TASKS_CAPTURE(CC_NOW)) = TASK_TRIGGER;
    const uint64_t now = hal_stamp_extend(recent_us, REG(TIMER_CC(CC_NOW)));
    recent_us = now;
    hal_critical_leave(before);
    return now;
}

uint64_t time_captured(uint32_t n) {
    const uint32_t before = hal_critical_enter();
    const uint64_t t_us = hal_stamp_extend(recent_us, REG(TIMER_CC(n)));
    hal_critical_leave(before);
    return t_us;
}

void hal_alarm_at(uint64_t t_us) {
    REG(TIMER_CC(CC_ALARM)) = (uint32_t)t_us;
    /* The compare matches on equality only. Set too late it would match 71 minutes later; two more than now, because
     * the counter goes on between the two lines. */
    if (hal_time_us() + 2u >= t_us) {
        interrupt_pend(TIMER_IRQ);
    }
}

/* Waking the core is what the alarm is for. */
void TIMER1_IRQHandler(void);
void TIMER1_IRQHandler(void) {
    event_clear(TIMER_EVENTS_COMPARE(CC_ALARM));
    alarm_ended = true;
}

bool hal_alarm_ended(void) {
    if (!alarm_ended) {
        return false;
    }
    /* One that ends between these two lines is not lost: whoever asks acts on it now. */
    alarm_ended = false;
    return true;
}
