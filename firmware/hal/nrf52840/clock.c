/* Power and clocks (PS, POWER; CLOCK; NVMC). */
#include "hal/nrf52840/parts.h"
#include "hal/nrf52840/registers.h"

#include "hal/hal.h"

#define CRYSTAL_TRIES 100000u /* over 5 ms; the crystal needs about 0.4 ms (PS, CLOCK, electrical specification) */

static uint32_t reset_reason;
static bool has_crystal;

bool clock_init(void) {
    reset_reason = REG(POWER_RESETREAS);
    REG(POWER_RESETREAS) = reset_reason; /* bits are cleared by writing 1; they would add up over resets */

    /* The DC/DC converter halves the current of the CPU (facts: 3.3 instead of 6.3 mA). It needs the inductor and
     * capacitors of the reference circuit, which a board of this folder must have (boards/<name>/README.md). */
    REG(POWER_DCDCEN) = 1u;

    /* Flash has wait states; the cache serves instruction fetches only, so constants read by data accesses still wait.
     */
    REG(NVMC_ICACHECNF) = NVMC_ICACHECNF_ON;

    /* Only the UART needs it: the internal oscillator may be off by several percent (PS, CLOCK, HFINT tolerance), and
     * a frame of 10 bits bears about 4 percent between both ends. It is stopped in sleep; the data-ready edge starts
     * it, so that it runs by the time a command is ready. */
    REG(CLOCK_EVENTS_HFCLKSTARTED) = 0u;
    REG(CLOCK_TASKS_HFCLKSTART) = TASK_TRIGGER;
    for (uint32_t i = 0; i < CRYSTAL_TRIES; i++) {
        if (REG(CLOCK_EVENTS_HFCLKSTARTED) != 0u) {
            has_crystal = true;
            break;
        }
    }
    REG(PPI_TEP(PPI_CRYSTAL)) = CLOCK_TASKS_HFCLKSTART;
    interrupt_enable(CLOCK_IRQ, PRIORITY_UART);
    return has_crystal;
}

bool clock_is_exact(void) {
    if (!has_crystal || (REG(CLOCK_HFCLKSTAT) & CLOCK_HFCLKSTAT_CRYSTAL) == CLOCK_HFCLKSTAT_CRYSTAL) {
        return true;
    }
    event_clear(CLOCK_EVENTS_HFCLKSTARTED);
    REG(CLOCK_INTENSET) = CLOCK_INT_HFCLKSTARTED;
    REG(CLOCK_TASKS_HFCLKSTART) = TASK_TRIGGER;
    return false;
}

void clock_rest(void) {
    REG(CLOCK_TASKS_HFCLKSTOP) = TASK_TRIGGER;
}

void POWER_CLOCK_IRQHandler(void);
void POWER_CLOCK_IRQHandler(void) {
    REG(CLOCK_INTENCLR) = CLOCK_INT_HFCLKSTARTED;
    event_clear(CLOCK_EVENTS_HFCLKSTARTED);
    hal_uart_kick();
    core_was_interrupted();
}

/* PS, POWER, RESETREAS; no bit set means power-on or brown-out. */
const char *hal_reset_reason(void) {
    static const struct {
        uint32_t bit;
        const char *text;
    } reasons[] = {
        {BIT(3), "Started after a CPU lock-up."},
        {BIT(1), "Started after a watchdog reset."},
        {BIT(2), "Started after a software reset."},
        {BIT(0), "Started after a reset by the pin."},
    };
    for (uint32_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if ((reset_reason & reasons[i].bit) != 0u) {
            return reasons[i].text;
        }
    }
    return reset_reason == 0u ? "Started after power-on." : "Started after a reset by the debugger or a wake-up.";
}

bool hal_init(void) {
    const bool crystal = clock_init();
    approtect_keep_open();
    cycles_init();
    time_init();
    pins_init();
    bus_init();
    __asm volatile("cpsie i" ::: "memory");
    return crystal;
}
