/* Clocks: 120 MHz from DPLL0, which follows the 32.768 kHz crystal (MC 14, 28, 29).
 *
 *   crystal ----> DPLL0 x 3662 + 3/32 = 119,999,488 Hz ----> generator 0: core, buses
 *                                                      \---> generator 1, / 2: 60 MHz, SERCOMs (at most 100 MHz)
 *                                                      \---> generator 2, / 15: 8 MHz, timer, EIC
 *
 * The division by 15 makes whole microseconds of it. Without a crystal the DPLL follows the DFLL in open loop, 48 MHz
 * with its tolerance, divided to 1.5 MHz. Errata (DS80000748, FDPLL): the lock signal is not to be trusted with a 32
 * kHz reference; LBYPASS lets the clock pass all the same. */
#include "hal/samd51/parts.h"
#include "hal/samd51/registers.h"

#include "board_config.h"
#include "hal/hal.h"

#if TL_BOARD_CLOCK_HZ != 120000000
#error "clock_hz: this HAL runs the SAMD51 at 120 MHz"
#endif

#define CRYSTAL_TRIES 12000000u /* over a second at 48 MHz; a crystal needs up to half of that (MC 54) */
#define LOCK_TRIES 480000u      /* over 50 ms */
#define RATIO(whole, of32) (((whole) - 1u) | ((of32) << 16))

static uint8_t reset_cause;

static void generator(uint32_t n, uint32_t source, uint32_t divider) {
    REG(GCLK_GENCTRL(n)) = source | GCLK_GENCTRL_GENEN | GCLK_GENCTRL_IDC | GCLK_GENCTRL_DIV(divider);
    sync_wait(GCLK_SYNCBUSY);
}

static void channel(uint32_t id, uint32_t n) {
    REG(GCLK_PCHCTRL(id)) = n | GCLK_PCHCTRL_CHEN;
    while ((REG(GCLK_PCHCTRL(id)) & GCLK_PCHCTRL_CHEN) == 0u) {
    }
}

static bool start_crystal(void) {
    REG16(OSC32KCTRL_XOSC32K) = OSC32KCTRL_XOSC32K_CRYSTAL;
    for (uint32_t i = 0; i < CRYSTAL_TRIES; i++) {
        if ((REG(OSC32KCTRL_STATUS) & OSC32KCTRL_STATUS_XOSC32KRDY) != 0u) {
            return true;
        }
    }
    return false;
}

/* Bounded: with LBYPASS the clock comes even if the lock is never told. */
static void wait_for_dpll(void) {
    for (uint32_t i = 0; i < LOCK_TRIES; i++) {
        if ((REG(OSCCTRL_DPLLSTATUS0) & OSCCTRL_DPLLSTATUS_LOCK_AND_READY) == OSCCTRL_DPLLSTATUS_LOCK_AND_READY) {
            return;
        }
    }
}

bool clock_init(void) {
    reset_cause = REG8(RSTC_RCAUSE);
    REG16(NVMCTRL_CTRLA) |= NVMCTRL_CTRLA_AUTOWS; /* wait states follow the clock */

    /* Back to the state after reset, core on the DFLL: a bootloader has made clocks of its own. */
    REG8(GCLK_CTRLA) = GCLK_CTRLA_SWRST;
    sync_wait(GCLK_SYNCBUSY);
    REG8(OSCCTRL_DPLLCTRLA0) = 0u;
    sync_wait(OSCCTRL_DPLLSYNCBUSY0);

    const bool crystal = start_crystal();
    if (crystal) {
        REG(OSCCTRL_DPLLRATIO0) = RATIO(3662u, 3u);
        REG(OSCCTRL_DPLLCTRLB0) = OSCCTRL_DPLLCTRLB_REFCLK_XOSC32 | OSCCTRL_DPLLCTRLB_LBYPASS;
    } else {
        generator(GCLK_REFERENCE, GCLK_GENCTRL_SRC_DFLL, 32u);
        channel(GCLK_ID_DPLL0, GCLK_REFERENCE);
        REG(OSCCTRL_DPLLRATIO0) = RATIO(80u, 0u);
        REG(OSCCTRL_DPLLCTRLB0) = OSCCTRL_DPLLCTRLB_REFCLK_GCLK | OSCCTRL_DPLLCTRLB_LBYPASS;
    }
    sync_wait(OSCCTRL_DPLLSYNCBUSY0);
    REG8(OSCCTRL_DPLLCTRLA0) = OSCCTRL_DPLLCTRLA_ENABLE;
    sync_wait(OSCCTRL_DPLLSYNCBUSY0);
    wait_for_dpll();
    generator(GCLK_CORE, GCLK_GENCTRL_SRC_DPLL0, 1u);
    generator(GCLK_SERIAL, GCLK_GENCTRL_SRC_DPLL0, 2u);
    generator(GCLK_TIMER, GCLK_GENCTRL_SRC_DPLL0, 15u);

    REG(MCLK_APBAMASK) |= MCLK_APBAMASK_EIC | MCLK_APBAMASK_TC0_TC1;
    REG(MCLK_APBBMASK) |= MCLK_APBBMASK_EVSYS;
    channel(GCLK_ID_EIC, GCLK_TIMER);
    channel(GCLK_ID_TC0_TC1, GCLK_TIMER);
    REG(CMCC_CTRL) = CMCC_CTRL_ON;
    return crystal;
}

void sercom_on(uint32_t number) {
    if (number < 2u) {
        REG(MCLK_APBAMASK) |= MCLK_APBAMASK_SERCOM(number);
    } else if (number < 4u) {
        REG(MCLK_APBBMASK) |= MCLK_APBBMASK_SERCOM(number);
    } else {
        REG(MCLK_APBDMASK) |= MCLK_APBDMASK_SERCOM(number);
    }
    channel(GCLK_ID_SERCOM(number), GCLK_SERIAL);
    REG(SERCOM(number) + SERCOM_CTRLA) = SERCOM_CTRLA_SWRST;
    sync_wait(SERCOM(number) + SERCOM_SYNCBUSY);
}

/* MC 17, RCAUSE: one bit. */
const char *hal_reset_reason(void) {
    static const struct {
        uint8_t bit;
        const char *text;
    } reasons[] = {
        {BIT(5), "Started after a watchdog reset."},     {BIT(6), "Started after a software reset."},
        {BIT(4), "Started after a reset by the pin."},   {BIT(0), "Started after power-on."},
        {BIT(1) | BIT(2), "Started after a brown-out."}, {BIT(3), "Started after an NVM reset."},
    };
    for (uint32_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if ((reset_cause & reasons[i].bit) != 0u) {
            return reasons[i].text;
        }
    }
    return "Started after a wake-up from backup.";
}

bool hal_init(void) {
    const bool crystal = clock_init();
    cycles_init();
    time_init();
    pins_init();
    dma_init();
    bus_init();
    watchdog_init();
    __asm volatile("cpsie i" ::: "memory");
    return crystal;
}
