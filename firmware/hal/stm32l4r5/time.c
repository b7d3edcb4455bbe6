/* TIM5 as a free-running 32-bit microsecond counter, extended to 64 bits (RM 38). The data-ready edge captures its own
 * time through the timer's input. One interrupt serves edge and alarm, with the sensor's priority: the alarm only sets
 * a flag. */
#include "hal/stm32l4r5/parts.h"
#include "hal/stm32l4r5/registers.h"

#include "board_config.h"
#include "hal/hal.h"
#include "hal/stamp.h"

#if TL_BOARD_IMU_CLOCK_TIMER
#error "imu.clock: the STM32L4R5's HAL has no timer in the place of data-ready"
#endif
#if !defined(TL_BOARD_ROUTE_INT1_CHANNEL) || TL_BOARD_ROUTE_INT1_CHANNEL < 1 || TL_BOARD_ROUTE_INT1_CHANNEL > 4
#error "routing.int1_channel: 1 to 4, the channel of TIM5 that pins.imu_int1 belongs to"
#endif
#ifndef TL_BOARD_ROUTE_INT1_FUNCTION
#error "routing.int1_function: the alternate function that makes pins.imu_int1 a channel of TIM5"
#endif

#define EDGE TL_BOARD_ROUTE_INT1_CHANNEL
#if TL_BOARD_ROUTE_INT1_CHANNEL == 1
#define ALARM 2u
#else
#define ALARM 1u
#endif

/* A recent time, moved on by every hal_time_us. The main loop's alarm is never more than a second away, so it is never
 * 35 minutes old. Read and written with interrupts off: it is two words. */
static uint64_t recent_us;

static volatile bool alarm_ended;
static hal_edge on_edge;

void time_init(void) {
    REG(TIM_PSC) = TL_BOARD_CLOCK_HZ / 1000000u - 1u;
    REG(TIM_ARR) = 0xFFFFFFFFu;
    REG(TIM_EGR) = TIM_EGR_UG; /* the prescaler counts from now on */
    REG(TIM_CCMR(EDGE)) |= TIM_CCMR_INPUT(EDGE);
    /* Pulled down: an absent sensor gives no edges. */
    pin_function(TL_BOARD_PIN_IMU_INT1, TL_BOARD_ROUTE_INT1_FUNCTION, PULL_DOWN);
    REG(TIM_CCER) = TIM_CCER_ON(EDGE);
    REG(TIM_SR) = 0u;
    REG(TIM_DIER) = TIM_FLAG(ALARM);
    REG(TIM_CR1) = TIM_CR1_CEN;
    interrupt_enable(TIM_IRQ, PRIORITY_SENSOR);
}

uint64_t hal_time_us(void) {
    const uint32_t before = hal_critical_enter();
    const uint64_t now = hal_stamp_extend(recent_us, REG(TIM_CNT));
    recent_us = now;
    hal_critical_leave(before);
    return now;
}

void hal_alarm_at(uint64_t t_us) {
    REG(TIM_CCR(ALARM)) = (uint32_t)t_us;
    /* The compare matches on equality only. Set too late it would match 71 minutes later; two more than now, because
     * the counter goes on between the two lines. */
    if (hal_time_us() + 2u >= t_us) {
        alarm_ended = true;
        interrupt_pend(TIM_IRQ); /* hal_sleep must return at once */
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

void hal_data_ready_start(hal_edge edge) {
    on_edge = edge;
    REG(TIM_SR) = ~(TIM_FLAG(EDGE) | TIM_OVERCAPTURE(EDGE)); /* cleared by writing 0 */
    const uint32_t before = hal_critical_enter();
    REG(TIM_DIER) |= TIM_FLAG(EDGE);
    hal_critical_leave(before);
}

void hal_data_ready_stop(void) {
    const uint32_t before = hal_critical_enter();
    REG(TIM_DIER) &= ~TIM_FLAG(EDGE);
    hal_critical_leave(before);
}

void TIM5_IRQHandler(void);
void TIM5_IRQHandler(void) {
    const uint32_t flags = REG(TIM_SR) & REG(TIM_DIER);
    if ((flags & TIM_FLAG(ALARM)) != 0u) {
        REG(TIM_SR) = ~TIM_FLAG(ALARM);
        alarm_ended = true;
    }
    if ((flags & TIM_FLAG(EDGE)) != 0u) {
        const uint32_t before = hal_critical_enter();
        const uint64_t t_us = hal_stamp_extend(recent_us, REG(TIM_CCR(EDGE))); /* reading clears the flag */
        hal_critical_leave(before);
        on_edge(t_us);
    }
}
