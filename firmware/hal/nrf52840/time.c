/* Time in microseconds from two clocks (PS, TIMER; RTC; CLOCK).
 *
 * Awake, TIMER3 counts microseconds of the high-frequency clock. Asleep nothing fast runs: RTC1 counts the 32,768 Hz of
 * its crystal, 30.5 us a tick. After waking, the timer is set against the next tick: a tick captures the timer by
 * hardware, so its microseconds and the RTC's ticks meet in one point, and every stamp has a microsecond's resolution.
 *
 * The data-ready edge starts the timer, which stands at 0, by hardware and captures it: what passes until the
 * interrupt, and until the tick, does not matter. Until the 32 kHz crystal runs (a quarter of a second after power-on),
 * and for ever where there is none, the timer runs through. */
#include "hal/nrf52840/parts.h"
#include "hal/nrf52840/registers.h"

#include "hal/hal.h"
#include "hal/stamp.h"

#define TICK_NEAR 8u            /* ticks; RTC compares that lie nearer may be missed (PS, RTC, Compare feature) */
#define AGREE_US 40             /* ticks are 30.5 us apart; beyond this the two crystals have drifted */
#define ALARM_FAR_US 200000000u /* the RTC wraps after 512 s */

/* All of this is read and written with interrupts off. */
static uint64_t recent_us;    /* the last time told: time never runs back */
static uint64_t recent_ticks; /* RTC, extended beyond its 24 bits */
static uint64_t base_us;      /* the time at which the timer stood at 0 */
static int64_t offset_us;     /* time minus the RTC's, kept when the crystals drift apart */
static bool synced = true;    /* base_us holds */
static bool rtc_runs;
static uint64_t alarm_us;
static bool alarm_set;

static volatile bool alarm_ended;

void time_init(void) {
    REG(TIMER_MODE) = TIMER_MODE_TIMER;
    REG(TIMER_BITMODE) = TIMER_BITMODE_32;
    REG(TIMER_PRESCALER) = TIMER_PRESCALER_1MHZ;
    REG(TIMER_TASKS_CLEAR) = TASK_TRIGGER;
    REG(TIMER_TASKS_START) = TASK_TRIGGER;
    REG(TIMER_INTENSET) = TIMER_INT_COMPARE(CC_ALARM);
    interrupt_enable(TIMER_IRQ, PRIORITY_ALARM);
    REG(CLOCK_LFCLKSRC) = CLOCK_LFCLKSRC_CRYSTAL;
    REG(CLOCK_EVENTS_LFCLKSTARTED) = 0u;
    REG(CLOCK_TASKS_LFCLKSTART) = TASK_TRIGGER;
    REG(PPI_EEP(PPI_TICK)) = RTC_EVENTS_TICK;
    REG(PPI_TEP(PPI_TICK)) = TIMER_TASKS_CAPTURE(CC_TICK);
    REG(PPI_CHENSET) = BIT(PPI_TICK);
    REG(RTC_INTENSET) = RTC_INT_COMPARE0;
    /* Above the sensor's: its handler waits for a tick asleep, and only a higher priority wakes it (B1.5.19). */
    interrupt_enable(RTC_IRQ, PRIORITY_TICK);
}

static uint64_t ticks_now(void) {
    const uint32_t ahead = (REG(RTC_COUNTER) - (uint32_t)recent_ticks) & RTC_MASK;
    recent_ticks += ahead;
    return recent_ticks;
}

/* 1,000,000 / 32,768 = 15,625 / 512. */
static uint64_t us_of_ticks(uint64_t ticks) {
    return (uint64_t)((int64_t)(ticks * 15625u >> 9) + offset_us);
}

static void set_timer_alarm(uint64_t now_us) {
    REG(TIMER_CC(CC_ALARM)) = (uint32_t)(alarm_us - base_us);
    /* The compare matches on equality only. Set too late it would match 71 minutes later; two more than now, because
     * the counter goes on between the two lines. */
    if (now_us + 2u >= alarm_us) {
        interrupt_pend(TIMER_IRQ);
    }
}

static uint64_t extended(uint32_t counter) {
    return hal_stamp_extend(recent_us, (uint32_t)base_us + counter);
}

static uint64_t timer_now(void) {
    REG(TIMER_TASKS_CAPTURE(CC_NOW)) = TASK_TRIGGER;
    const uint64_t now = extended(REG(TIMER_CC(CC_NOW)));
    recent_us = now > recent_us ? now : recent_us;
    return recent_us;
}

/* Sets the timer against the next tick; at most 31 us, asleep. */
static void sync(void) {
    if (synced) {
        return;
    }
    REG(TIMER_TASKS_START) = TASK_TRIGGER; /* unless the edge has */
    event_clear(RTC_EVENTS_TICK);
    REG(RTC_EVTENSET) = RTC_INT_TICK;
    REG(RTC_INTENSET) = RTC_INT_TICK;
    while (REG(RTC_EVENTS_TICK) == 0u) {
        __asm volatile("dsb\n wfi" ::: "memory");
    }
    REG(RTC_INTENCLR) = RTC_INT_TICK;
    REG(RTC_EVTENCLR) = RTC_INT_TICK;
    event_clear(RTC_EVENTS_TICK);
    if (REG(RTC_EVENTS_COMPARE0) == 0u) {
        REG(NVIC_ICPR(RTC_IRQ)) = NVIC_BIT(RTC_IRQ);
    }
    base_us = us_of_ticks(ticks_now()) - REG(TIMER_CC(CC_TICK));
    synced = true;
    if (alarm_set) {
        set_timer_alarm(timer_now());
    }
}

uint64_t hal_time_us(void) {
    const uint32_t before = hal_critical_enter();
    sync();
    const uint64_t now = timer_now();
    hal_critical_leave(before);
    return now;
}

uint64_t time_captured(uint32_t n) {
    const uint32_t before = hal_critical_enter();
    sync();
    const uint64_t t_us = extended(REG(TIMER_CC(n)));
    hal_critical_leave(before);
    return t_us;
}

/* Starts the RTC once its crystal runs; false before. */
static bool rtc_started(void) {
    if (!rtc_runs && REG(CLOCK_EVENTS_LFCLKSTARTED) != 0u) {
        REG(RTC_TASKS_START) = TASK_TRIGGER;
        rtc_runs = true;
        offset_us = (int64_t)timer_now();
    }
    return rtc_runs;
}

bool time_stop(void) {
    if (!rtc_started()) {
        return false;
    }
    const uint64_t ticks = ticks_now();
    if (synced) {
        const uint64_t now = timer_now();
        const int64_t ahead = (int64_t)(now - us_of_ticks(ticks));
        if (ahead < -AGREE_US || ahead > AGREE_US) {
            offset_us += ahead; /* a step of time would be a wrong interval of the network */
        }
        if (alarm_set) {
            const uint64_t far = now + ALARM_FAR_US;
            const uint64_t until = (alarm_us < far ? alarm_us : far) - (uint64_t)offset_us;
            /* Rounded up: never early. */
            const uint64_t target = ((until << 9) + 15624u) / 15625u;
            if (alarm_us <= now || target < ticks + TICK_NEAR) {
                return false;
            }
            REG(RTC_CC0) = (uint32_t)target & RTC_MASK;
        }
    }
    /* SHUTDOWN, not STOP: a stopped timer keeps its clock (anomaly 78). */
    REG(TIMER_TASKS_SHUTDOWN) = TASK_TRIGGER;
    REG(TIMER_TASKS_CLEAR) = TASK_TRIGGER;
    synced = false;
    return true;
}

void hal_alarm_at(uint64_t t_us) {
    const uint32_t before = hal_critical_enter();
    alarm_us = t_us;
    alarm_set = true;
    sync();
    set_timer_alarm(timer_now());
    hal_critical_leave(before);
}

static void end_alarm(void) {
    alarm_set = false;
    alarm_ended = true;
    core_was_interrupted();
}

/* Waking the core is what the alarm is for. */
void TIMER3_IRQHandler(void);
void TIMER3_IRQHandler(void) {
    event_clear(TIMER_EVENTS_COMPARE(CC_ALARM));
    end_alarm();
}

void RTC1_IRQHandler(void);
void RTC1_IRQHandler(void) {
    if (REG(RTC_EVENTS_COMPARE0) != 0u) {
        event_clear(RTC_EVENTS_COMPARE0);
        end_alarm();
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
