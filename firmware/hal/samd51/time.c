/* TC0 and TC1 as a free-running 32-bit microsecond counter, extended to 64 bits (MC 48). One interrupt serves the edge
 * and the alarm, with the sensor's priority: the alarm only sets a flag. */
#include "hal/samd51/parts.h"
#include "hal/samd51/registers.h"

#include "hal/hal.h"
#include "hal/stamp.h"

/* A recent time, moved on by every hal_time_us. The main loop's alarm is never more than a second away, so it is never
 * 35 minutes old. Read and written with interrupts off: it is two words. */
static uint64_t recent_us;

static volatile bool alarm_ended;
static hal_edge on_edge;

void time_init(void) {
    REG(TC_CTRLA) = TC_CTRLA_SWRST;
    sync_wait(TC_SYNCBUSY);
    REG16(TC_EVCTRL) = TC_EVCTRL_TCEI | TC_EVCTRL_EVACT_STAMP;
    REG(TC_CTRLA) = TC_CTRLA_COUNT32 | TC_CTRLA_DIV8 | TC_CTRLA_CAPTEN0; /* 8 MHz / 8 */
    REG(TC_CTRLA) |= TC_CTRLA_ENABLE;
    sync_wait(TC_SYNCBUSY);
    REG8(TC_INTENSET) = TC_INT_MC(CC_ALARM);
    interrupt_enable(TC_IRQ, PRIORITY_SENSOR);
}

uint64_t hal_time_us(void) {
    const uint32_t before = hal_critical_enter();
    REG8(TC_CTRLBSET) = TC_CTRLBSET_READSYNC;
    /* COUNT is not readable before; it takes about half a microsecond. */
    while ((REG8(TC_CTRLBSET) & TC_CTRLBSET_CMD) != 0u) {
    }
    sync_wait(TC_SYNCBUSY);
    const uint64_t now = hal_stamp_extend(recent_us, REG(TC_COUNT));
    recent_us = now;
    hal_critical_leave(before);
    return now;
}

void hal_alarm_at(uint64_t t_us) {
    REG(TC_CC(CC_ALARM)) = (uint32_t)t_us;
    sync_wait(TC_SYNCBUSY);
    /* The compare matches on equality only. Set too late it would match 71 minutes later; two more than now, because
     * the counter goes on between the two lines. */
    if (hal_time_us() + 2u >= t_us) {
        alarm_ended = true;
        interrupt_pend(TC_IRQ); /* hal_sleep must return at once */
    }
}

bool hal_alarm_ended(void) {
    if (!alarm_ended) {
        return false;
    }
    /* One that ends between these two lines is not lost: whoever asks acts on it now. */
    alarm_ended = false;
    return true;
}

/* The last capture: a register and its buffer hold two, and reading one brings up the other. */
static uint32_t captured(void) {
    uint32_t last;
    do {
        last = REG(TC_CC(CC_EDGE));
        REG8(TC_INTFLAG) = TC_INT_MC(CC_EDGE);
    } while ((REG8(TC_INTFLAG) & TC_INT_MC(CC_EDGE)) != 0u);
    return last;
}

void time_capture_start(hal_edge edge) {
    on_edge = edge;
    (void)captured();
    REG8(TC_INTENSET) = TC_INT_MC(CC_EDGE);
}

void time_capture_stop(void) {
    REG8(TC_INTENCLR) = TC_INT_MC(CC_EDGE);
}

void TC0_IRQHandler(void);
void TC0_IRQHandler(void) {
    const uint8_t flags = REG8(TC_INTFLAG);
    if ((flags & TC_INT_MC(CC_ALARM)) != 0u) {
        REG8(TC_INTFLAG) = TC_INT_MC(CC_ALARM);
        alarm_ended = true;
    }
    if ((flags & TC_INT_MC(CC_EDGE)) != 0u && on_edge != 0) {
        const uint32_t before = hal_critical_enter();
        const uint64_t t_us = hal_stamp_extend(recent_us, captured());
        hal_critical_leave(before);
        on_edge(t_us);
    }
}
