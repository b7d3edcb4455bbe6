/* The registers that this HAL uses, from the nRF52840 Product Specification v1.7 (PS; chapter named at each block).
 * Offsets in bytes; only what is used is listed. */
#ifndef HAL_NRF52840_REGISTERS_H
#define HAL_NRF52840_REGISTERS_H

#include "hal/common/core.h"

/* An event register reads 1 when the event happened; writing 0 clears it. The read back makes sure that the write has
 * reached the peripheral before the handler returns, else the interrupt would be taken twice (PS, Peripheral interface,
 * Interrupt clearing). */
static inline void event_clear(uint32_t address) {
    REG(address) = 0u;
    (void)REG(address);
}

#define TASK_TRIGGER 1u

/* FICR, UICR and APPROTECT (PS 4.4, 4.5, 4.8). */
#define FICR_INFO_VARIANT 0x10000104u
#define UICR_APPROTECT 0x10001208u
#define APPROTECT_DISABLE 0x40000558u
#define APPROTECT_OPEN 0x5Au /* HwDisabled and SwDisable */

/* NVMC (PS 4.3). */
#define NVMC_READY 0x4001E400u
#define NVMC_CONFIG 0x4001E504u
#define NVMC_CONFIG_READ_ONLY 0u
#define NVMC_CONFIG_WRITE 1u
#define NVMC_ICACHECNF 0x4001E540u
#define NVMC_ICACHECNF_ON BIT(0)

/* CLOCK and POWER share one address (PS 5.4, 5.3). */
#define CLOCK_IRQ 0u
#define CLOCK_TASKS_HFCLKSTART 0x40000000u
#define CLOCK_TASKS_HFCLKSTOP 0x40000004u
#define CLOCK_TASKS_LFCLKSTART 0x40000008u
#define CLOCK_EVENTS_HFCLKSTARTED 0x40000100u
#define CLOCK_EVENTS_LFCLKSTARTED 0x40000104u
#define CLOCK_INTENSET 0x40000304u
#define CLOCK_INTENCLR 0x40000308u
#define CLOCK_INT_HFCLKSTARTED BIT(0)
#define CLOCK_HFCLKSTAT 0x4000040Cu
#define CLOCK_HFCLKSTAT_CRYSTAL (BIT(16) | BIT(0)) /* it runs, and from the crystal */
#define CLOCK_LFCLKSRC 0x40000518u
#define CLOCK_LFCLKSRC_CRYSTAL 1u
#define POWER_RESETREAS 0x40000400u
#define POWER_DCDCEN 0x40000578u

/* UARTE0, peripheral 2 (PS 6.34). */
#define UARTE_IRQ 2u
#define UARTE_TASKS_STARTRX 0x40002000u
#define UARTE_TASKS_STOPRX 0x40002004u
#define UARTE_TASKS_STARTTX 0x40002008u
#define UARTE_EVENTS_ENDRX 0x40002110u
#define UARTE_EVENTS_ENDTX 0x40002120u
#define UARTE_EVENTS_ERROR 0x40002124u
#define UARTE_INTENSET 0x40002304u
#define UARTE_INT_ENDRX BIT(4)
#define UARTE_INT_ENDTX BIT(8)
#define UARTE_INT_ERROR BIT(9)
#define UARTE_ERRORSRC 0x40002480u
#define UARTE_ENABLE 0x40002500u
#define UARTE_ENABLE_ON 8u
#define UARTE_PSEL_RTS 0x40002508u
#define UARTE_PSEL_TXD 0x4000250Cu
#define UARTE_PSEL_CTS 0x40002510u
#define UARTE_PSEL_RXD 0x40002514u
#define PSEL_DISCONNECTED 0xFFFFFFFFu
#define UARTE_BAUDRATE 0x40002524u
#define UARTE_BAUDRATE_1M 0x10000000u
#define UARTE_RXD_PTR 0x40002534u
#define UARTE_RXD_MAXCNT 0x40002538u
#define UARTE_RXD_AMOUNT 0x4000253Cu
#define UARTE_TXD_PTR 0x40002544u
#define UARTE_TXD_MAXCNT 0x40002548u
#define UARTE_CONFIG 0x4000256Cu
#define UARTE_CONFIG_8N1 0u

/* GPIOTE, peripheral 6 (PS 6.10). Channel 0 is the data-ready pin. */
#define GPIOTE_IRQ 6u
#define GPIOTE_EVENTS_IN0 0x40006100u
#define GPIOTE_EVENTS_PORT 0x4000617Cu
#define GPIOTE_INTENSET 0x40006304u
#define GPIOTE_INTENCLR 0x40006308u
#define GPIOTE_INT_IN0 BIT(0)
#define GPIOTE_INT_PORT BIT(31)
#define GPIOTE_CONFIG0 0x40006510u
#define GPIOTE_CONFIG_EVENT 1u
#define GPIOTE_CONFIG_PSEL_SHIFT 8 /* pin in bits 8..12, port in bit 13: port * 32 + pin */
#define GPIOTE_CONFIG_RISING (1u << 16)

/* TIMER3, peripheral 26 (PS 6.30), because it has six capture/compare registers: 0 data-ready edge, 1 end of
 * transmission, 2 now, 3 alarm, 4 tick of the RTC. */
#define TIMER_IRQ 26u
#define TIMER_TASKS_START 0x4001A000u
#define TIMER_TASKS_CLEAR 0x4001A00Cu
#define TIMER_TASKS_SHUTDOWN 0x4001A010u
#define TIMER_TASKS_CAPTURE(n) (0x4001A040u + 4u * (n))
#define TIMER_EVENTS_COMPARE(n) (0x4001A140u + 4u * (n))
#define TIMER_INTENSET 0x4001A304u
#define TIMER_INT_COMPARE(n) BIT(16u + (n))
#define TIMER_MODE 0x4001A504u
#define TIMER_MODE_TIMER 0u
#define TIMER_BITMODE 0x4001A508u
#define TIMER_BITMODE_32 3u
#define TIMER_PRESCALER 0x4001A510u
#define TIMER_PRESCALER_1MHZ 4u /* 16 MHz / 2^4 */
#define TIMER_CC(n) (0x4001A540u + 4u * (n))
#define CC_EDGE 0u
#define CC_SENT 1u
#define CC_NOW 2u
#define CC_ALARM 3u
#define CC_TICK 4u

/* RTC1, peripheral 17 (PS 6.22): 32,768 Hz, 24 bits. */
#define RTC_IRQ 17u
#define RTC_TASKS_START 0x40011000u
#define RTC_EVENTS_TICK 0x40011100u
#define RTC_EVENTS_COMPARE0 0x40011140u
#define RTC_INTENSET 0x40011304u
#define RTC_INTENCLR 0x40011308u
#define RTC_INT_TICK BIT(0)
#define RTC_INT_COMPARE0 BIT(16)
#define RTC_EVTENSET 0x40011344u
#define RTC_EVTENCLR 0x40011348u
#define RTC_COUNTER 0x40011504u
#define RTC_CC0 0x40011540u
#define RTC_MASK 0xFFFFFFu

/* TIMER2, peripheral 10 (PS 6.30): asks a sensor that has no data-ready pin. */
#define POLL_IRQ 10u
#define POLL_TASKS_START 0x4000A000u
#define POLL_TASKS_STOP 0x4000A004u
#define POLL_TASKS_CLEAR 0x4000A00Cu
#define POLL_EVENTS_COMPARE0 0x4000A140u
#define POLL_SHORTS 0x4000A200u
#define POLL_SHORTS_COMPARE0_CLEAR BIT(0)
#define POLL_INTENSET 0x4000A304u
#define POLL_INT_COMPARE0 BIT(16)
#define POLL_BITMODE 0x4000A508u
#define POLL_PRESCALER 0x4000A510u
#define POLL_CC0 0x4000A540u

/* PPI (PS 6.16). Channel 0: data-ready edge, or the poll, to capture 0, and starts the timer. 1: end of transmission to
 * capture 1. 2: tick of the RTC to capture 4. 3: data-ready edge starts the crystal. */
#define PPI_CHENSET 0x4001F504u
#define PPI_EEP(channel) (0x4001F510u + 8u * (channel))
#define PPI_TEP(channel) (0x4001F514u + 8u * (channel))
#define PPI_FORK(channel) (0x4001F910u + 4u * (channel))
#define PPI_EDGE 0u
#define PPI_SENT 1u
#define PPI_TICK 2u
#define PPI_CRYSTAL 3u

/* SPIM2, peripheral 35 (PS 6.25). */
#define SPIM_IRQ 35u
#define SPIM_TASKS_START 0x40023010u
#define SPIM_TASKS_STOP 0x40023014u
#define SPIM_EVENTS_STOPPED 0x40023104u
#define SPIM_EVENTS_END 0x40023118u
#define SPIM_INTENSET 0x40023304u
#define SPIM_INT_END BIT(6)
#define SPIM_ENABLE 0x40023500u
#define SPIM_ENABLE_ON 7u
#define SPIM_PSEL_SCK 0x40023508u
#define SPIM_PSEL_MOSI 0x4002350Cu
#define SPIM_PSEL_MISO 0x40023510u
#define SPIM_FREQUENCY 0x40023524u
#define SPIM_FREQUENCY_8M 0x80000000u
#define SPIM_FREQUENCY_4M 0x40000000u
#define SPIM_FREQUENCY_1M 0x10000000u
#define SPIM_RXD_PTR 0x40023534u
#define SPIM_RXD_MAXCNT 0x40023538u
#define SPIM_TXD_PTR 0x40023544u
#define SPIM_TXD_MAXCNT 0x40023548u
#define SPIM_CONFIG 0x40023554u
#define SPIM_CONFIG_MODE3 (BIT(1) | BIT(2)) /* CPHA trailing, CPOL active low; most significant bit first */
#define SPIM_ORC 0x400235C0u

/* TWIM0, peripheral 3 (PS 6.31). */
#define TWIM_IRQ 3u
#define TWIM_TASKS_STARTTX 0x40003008u
#define TWIM_TASKS_STOP 0x40003014u
#define TWIM_EVENTS_STOPPED 0x40003104u
#define TWIM_EVENTS_ERROR 0x40003124u
#define TWIM_SHORTS 0x40003200u
#define TWIM_SHORTS_LASTTX_STARTRX BIT(7)
#define TWIM_SHORTS_LASTTX_STOP BIT(9)
#define TWIM_SHORTS_LASTRX_STOP BIT(12)
#define TWIM_INTENSET 0x40003304u
#define TWIM_INT_STOPPED BIT(1)
#define TWIM_INT_ERROR BIT(9)
#define TWIM_ERRORSRC 0x400034C4u
#define TWIM_ENABLE 0x40003500u
#define TWIM_ENABLE_ON 6u
#define TWIM_PSEL_SCL 0x40003508u
#define TWIM_PSEL_SDA 0x4000350Cu
#define TWIM_FREQUENCY 0x40003524u
#define TWIM_FREQUENCY_100K 0x01980000u
#define TWIM_FREQUENCY_400K 0x06200000u /* not 0x06400000: anomaly 219, SCL would be low too shortly */
#define TWIM_RXD_PTR 0x40003534u
#define TWIM_RXD_MAXCNT 0x40003538u
#define TWIM_TXD_PTR 0x40003544u
#define TWIM_TXD_MAXCNT 0x40003548u
#define TWIM_ADDRESS 0x40003588u

/* GPIO (PS 6.9). P1 lies 0x300 above P0. */
#define GPIO_PORT(pin) (0x50000000u + 0x300u * ((pin) / 32u))
#define GPIO_IN(pin) (GPIO_PORT(pin) + 0x510u)
#define GPIO_OUTSET(pin) (GPIO_PORT(pin) + 0x508u)
#define GPIO_OUTCLR(pin) (GPIO_PORT(pin) + 0x50Cu)
#define GPIO_PIN_CNF(pin) (GPIO_PORT(pin) + 0x700u + 4u * ((pin) % 32u))
#define GPIO_BIT(pin) BIT((pin) % 32u)
#define GPIO_CNF_OUTPUT (BIT(0) | BIT(1)) /* direction out, input buffer disconnected */
#define GPIO_CNF_INPUT 0u
#define GPIO_CNF_PULL_DOWN (1u << 2)
#define GPIO_CNF_PULL_UP (3u << 2)
#define GPIO_CNF_SENSE_LOW (3u << 16)
#define GPIO_CNF_STRONG (3u << 8)     /* high drive, both levels */
#define GPIO_CNF_OPEN_DRAIN (6u << 8) /* S0D1: standard low, disconnected high */

#define FPU_IRQ 38u

#endif
