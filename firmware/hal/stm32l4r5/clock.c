/* Clocks: 120 MHz in boost mode from the PLL, which follows the MSI, which follows the 32.768 kHz crystal (RM 5, 6).
 *
 *   crystal ----> MSI 4 MHz ----> PLL x 60 / 2 = 120 MHz ----> core, both APBs, their timers
 *
 * Without a crystal the PLL follows the HSI instead: 16 MHz with the tolerance of a percent. */
#include "hal/stm32l4r5/parts.h"
#include "hal/stm32l4r5/registers.h"

#include "board_config.h"
#include "hal/hal.h"

#if TL_BOARD_CLOCK_HZ != 120000000
#error "clock_hz: this HAL runs the STM32L4R5 at 120 MHz"
#endif

#define CRYSTAL_TRIES 2000000u /* several seconds at 4 MHz; a crystal typically needs two (data sheet, LSE) */
#define SETTLE_LOOPS 200u      /* over a microsecond at 60 MHz */

static uint32_t reset_flags;

static void wait_for(uint32_t address, uint32_t bit) {
    while ((REG(address) & bit) == 0u) {
    }
}

static bool start_crystal(void) {
    REG(PWR_CR1) |= PWR_CR1_DBP;
    REG(RCC_BDCR) |= RCC_BDCR_LSEON;
    for (uint32_t i = 0; i < CRYSTAL_TRIES; i++) {
        if ((REG(RCC_BDCR) & RCC_BDCR_LSERDY) != 0u) {
            return true;
        }
    }
    return false;
}

bool clock_init(void) {
    reset_flags = REG(RCC_CSR);
    REG(RCC_CSR) = reset_flags | RCC_CSR_RMVF; /* they would add up over resets */

    REG(RCC_APB1ENR1) |= RCC_APB1ENR1_PWR;
    (void)REG(RCC_APB1ENR1); /* a clock needs two cycles (RM 6.2.18) */
    const bool crystal = start_crystal();
    uint32_t pll = RCC_PLLCFGR_N(60u) | RCC_PLLCFGR_R_2;
    if (crystal) {
        wait_for(RCC_CR, RCC_CR_MSIRDY);
        REG(RCC_CR) = (REG(RCC_CR) & ~RCC_CR_MSIRANGE) | RCC_CR_MSI_4MHZ;
        wait_for(RCC_CR, RCC_CR_MSIRDY);
        REG(RCC_CR) |= RCC_CR_MSIPLLEN;
        pll |= RCC_PLLCFGR_MSI | RCC_PLLCFGR_M(1u);
    } else {
        REG(RCC_CR) |= RCC_CR_HSION;
        wait_for(RCC_CR, RCC_CR_HSIRDY);
        pll |= RCC_PLLCFGR_HSI | RCC_PLLCFGR_M(4u);
    }
    REG(RCC_PLLCFGR) = pll;
    REG(RCC_CR) |= RCC_CR_PLLON;
    wait_for(RCC_CR, RCC_CR_PLLRDY);

    REG(FLASH_ACR) = FLASH_ACR_120MHZ;
    while (REG(FLASH_ACR) != FLASH_ACR_120MHZ) {
    }
    REG(PWR_CR5) &= ~PWR_CR5_R1MODE;
    /* In two steps, a microsecond apart: the supply must follow (RM 5.1.8). */
    REG(RCC_CFGR) = RCC_CFGR_SW_PLL | RCC_CFGR_HPRE_2;
    while (RCC_CFGR_SWS(REG(RCC_CFGR)) != RCC_CFGR_SW_PLL) {
    }
    for (uint32_t i = 0; i < SETTLE_LOOPS; i++) {
        __asm volatile("nop");
    }
    REG(RCC_CFGR) = RCC_CFGR_SW_PLL;

    REG(RCC_AHB1ENR) |= RCC_AHB1ENR_DMA;
    REG(RCC_APB1ENR1) |= RCC_APB1ENR1_TIM5;
    REG(RCC_APB1ENR2) |= RCC_APB1ENR2_LPUART1;
    REG(RCC_APB2ENR) |= RCC_APB2ENR_SPI1;
    (void)REG(RCC_APB2ENR);
    return crystal;
}

/* RM 6.4.31, RCC_CSR. The pin's flag stands beside every other: each reset pulls the pin. */
const char *hal_reset_reason(void) {
    static const struct {
        uint32_t bit;
        const char *text;
    } reasons[] = {
        {BIT(29) | BIT(30), "Started after a watchdog reset."}, {BIT(28), "Started after a software reset."},
        {BIT(31), "Started after a forbidden low-power mode."}, {BIT(27), "Started after power-on."},
        {BIT(26), "Started after a reset by the pin."},
    };
    for (uint32_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if ((reset_flags & reasons[i].bit) != 0u) {
            return reasons[i].text;
        }
    }
    return "Started after a reset by the debugger or a wake-up.";
}

bool hal_init(void) {
    const bool crystal = clock_init();
    cycles_init();
    time_init();
    pins_init();
    bus_init();
    watchdog_init();
    __asm volatile("cpsie i" ::: "memory");
    return crystal;
}
