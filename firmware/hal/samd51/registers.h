/* The registers that this HAL uses, from Microchip's SAM D5x/E5x Family Data Sheet DS60001507 (MC; chapter named at
 * each block). Only what is used is listed. Many are synchronized to a slower clock: SYNCBUSY must read 0 before the
 * next access, and before what was written counts. */
#ifndef HAL_SAMD51_REGISTERS_H
#define HAL_SAMD51_REGISTERS_H

#include "hal/common/core.h"

/* MCLK (MC 15). */
#define MCLK_APBAMASK 0x40000814u
#define MCLK_APBAMASK_EIC BIT(10)
#define MCLK_APBAMASK_SERCOM(n) BIT(12u + (n)) /* 0 and 1 */
#define MCLK_APBAMASK_TC0_TC1 (BIT(14) | BIT(15))
#define MCLK_APBBMASK 0x40000818u
#define MCLK_APBBMASK_EVSYS BIT(7)
#define MCLK_APBBMASK_SERCOM(n) BIT(7u + (n)) /* 2 and 3 */
#define MCLK_APBDMASK 0x40000820u
#define MCLK_APBDMASK_SERCOM(n) BIT((n) - 4u) /* 4 to 7 */

/* RSTC (MC 17). */
#define RSTC_RCAUSE 0x40000C00u

/* OSCCTRL (MC 28). */
#define OSCCTRL_DPLLCTRLA0 0x40001030u /* 8 bits */
#define OSCCTRL_DPLLCTRLA_ENABLE BIT(1)
#define OSCCTRL_DPLLRATIO0 0x40001034u
#define OSCCTRL_DPLLCTRLB0 0x40001038u
#define OSCCTRL_DPLLCTRLB_REFCLK_GCLK (0u << 5)
#define OSCCTRL_DPLLCTRLB_REFCLK_XOSC32 (1u << 5)
#define OSCCTRL_DPLLCTRLB_LBYPASS BIT(11)
#define OSCCTRL_DPLLSYNCBUSY0 0x4000103Cu
#define OSCCTRL_DPLLSTATUS0 0x40001040u
#define OSCCTRL_DPLLSTATUS_LOCK_AND_READY (BIT(0) | BIT(1))

/* OSC32KCTRL (MC 29). */
#define OSC32KCTRL_STATUS 0x4000140Cu
#define OSC32KCTRL_STATUS_XOSC32KRDY BIT(0)
#define OSC32KCTRL_XOSC32K 0x40001414u /* 16 bits */
#define OSC32KCTRL_XOSC32K_CRYSTAL                                                                                     \
    (BIT(1) | BIT(2) | BIT(3) | BIT(6) | (1u << 13)) /* ENABLE XTALEN EN32K RUNSTDBY XT */

/* GCLK (MC 14). Generators: 0 core, 1 SERCOMs, 2 timer and EIC, 3 reference of the DPLL without a crystal. */
#define GCLK_CTRLA 0x40001C00u /* 8 bits */
#define GCLK_CTRLA_SWRST BIT(0)
#define GCLK_SYNCBUSY 0x40001C04u
#define GCLK_GENCTRL(n) (0x40001C20u + 4u * (n))
#define GCLK_GENCTRL_SRC_DFLL 6u
#define GCLK_GENCTRL_SRC_DPLL0 7u
#define GCLK_GENCTRL_GENEN BIT(8)
#define GCLK_GENCTRL_IDC BIT(9)
#define GCLK_GENCTRL_DIV(n) ((n) << 16)
#define GCLK_PCHCTRL(id) (0x40001C80u + 4u * (id))
#define GCLK_PCHCTRL_CHEN BIT(6)
#define GCLK_ID_DPLL0 1u
#define GCLK_ID_EIC 4u
#define GCLK_ID_TC0_TC1 9u
#define GCLK_CORE 0u
#define GCLK_SERIAL 1u
#define GCLK_SERIAL_HZ 60000000u
#define GCLK_TIMER 2u
#define GCLK_REFERENCE 3u

/* WDT (MC 20); its clock is the internal 1.024 kHz. */
#define WDT_CTRLA 0x40002000u  /* 8 bits */
#define WDT_CONFIG 0x40002001u /* 8 bits */
#define WDT_CONFIG_PER_2048 8u
#define WDT_SYNCBUSY 0x40002008u
#define WDT_CLEAR 0x4000200Cu /* 8 bits */
#define WDT_CLEAR_KEY 0xA5u
#define WDT_ENABLE BIT(1)

/* EIC (MC 27). */
#define EIC_CTRLA 0x40002800u /* 8 bits */
#define EIC_ENABLE BIT(1)
#define EIC_SYNCBUSY 0x40002804u
#define EIC_EVCTRL 0x40002808u
#define EIC_CONFIG(line) (0x4000281Cu + 4u * ((line) / 8u))
#define EIC_SENSE_RISE(line) (1u << (4u * ((line) % 8u)))
#define PIN_FUNCTION_EIC 0u

/* TC0 with TC1 as one 32-bit counter (MC 48). Channel 0 captures the data-ready edge, channel 1 is the alarm. */
#define TC_IRQ 107u
#define TC_CTRLA 0x40003800u
#define TC_CTRLA_SWRST BIT(0)
#define TC_CTRLA_ENABLE BIT(1)
#define TC_CTRLA_COUNT32 (2u << 2)
#define TC_CTRLA_DIV8 (3u << 8)
#define TC_CTRLA_CAPTEN0 BIT(16)
#define TC_CTRLBSET 0x40003805u /* 8 bits */
#define TC_CTRLBSET_READSYNC (4u << 5)
#define TC_CTRLBSET_CMD (7u << 5) /* 0 once the command was carried out */
#define TC_EVCTRL 0x40003806u     /* 16 bits */
#define TC_EVCTRL_TCEI BIT(5)
#define TC_EVCTRL_EVACT_STAMP 4u
#define TC_INTENCLR 0x40003808u /* 8 bits */
#define TC_INTENSET 0x40003809u /* 8 bits */
#define TC_INTFLAG 0x4000380Au  /* 8 bits */
#define TC_INT_MC(n) BIT(4u + (n))
#define TC_SYNCBUSY 0x40003810u
#define TC_COUNT 0x40003814u
#define TC_CC(n) (0x4000381Cu + 4u * (n))
#define CC_EDGE 0u
#define CC_ALARM 1u

/* CMCC, the cache of the flash (MC 11), and NVMCTRL (MC 25). */
#define CMCC_CTRL 0x41006008u
#define CMCC_CTRL_ON BIT(0)
#define NVMCTRL_CTRLA 0x41004000u /* 16 bits */
#define NVMCTRL_CTRLA_AUTOWS BIT(2)

/* PORT (MC 32). */
#define PORT(pin) (0x41008000u + 0x80u * ((pin) / 32u))
#define PORT_DIRSET(pin) (PORT(pin) + 0x08u)
#define PORT_OUTCLR(pin) (PORT(pin) + 0x14u)
#define PORT_OUTSET(pin) (PORT(pin) + 0x18u)
#define PORT_PMUX(pin) (PORT(pin) + 0x30u + ((pin) % 32u) / 2u) /* 8 bits: two pins of four bits */
#define PORT_PINCFG(pin) (PORT(pin) + 0x40u + (pin) % 32u)      /* 8 bits */
#define PORT_PINCFG_PMUXEN BIT(0)
#define PORT_PINCFG_INEN BIT(1)
#define PORT_PINCFG_PULLEN BIT(2) /* up where OUT is 1, else down */
#define PORT_BIT(pin) BIT((pin) % 32u)

/* DMAC (MC 22). Channels 0 to 3 have an interrupt of their own. */
#define DMAC_CTRL 0x4100A000u                                       /* 16 bits */
#define DMAC_CTRL_ON (BIT(1) | BIT(8) | BIT(9) | BIT(10) | BIT(11)) /* and all priority levels */
#define DMAC_CTRL_SWRST BIT(0)
#define DMAC_BASEADDR 0x4100A034u
#define DMAC_WRBADDR 0x4100A038u
#define DMAC_CHCTRLA(n) (0x4100A040u + 0x10u * (n))
#define DMAC_CHCTRLA_ENABLE BIT(1)
#define DMAC_CHCTRLA_TRIGSRC(id) ((id) << 8)
#define DMAC_CHCTRLA_TRIGACT_BURST (2u << 20)
#define DMAC_CHINTENSET(n) (0x4100A04Du + 0x10u * (n)) /* 8 bits */
#define DMAC_CHINTFLAG(n) (0x4100A04Eu + 0x10u * (n))  /* 8 bits */
#define DMAC_CHINT_TCMPL BIT(1)
#define DMAC_BTCTRL_VALID BIT(0)
#define DMAC_BTCTRL_SRCINC BIT(10)
#define DMAC_BTCTRL_DSTINC BIT(11)
#define DMAC_IRQ(n) (31u + (n))

/* EVSYS (MC 31). Channel 0: the EIC's line to TC0. */
#define EVSYS_CHANNEL0 0x4100E020u
#define EVSYS_EVGEN_EXTINT(line) (18u + (line))
#define EVSYS_PATH_ASYNCHRONOUS (2u << 8)
#define EVSYS_USER_TC0 (0x4100E120u + 4u * 44u)

/* SERCOM (MC 33 to 35). The offsets are those of USART and SPI alike. */
#define SERCOM(n)                                                                                                      \
    ((n) < 2u   ? 0x40003000u + 0x400u * (n)                                                                           \
     : (n) < 4u ? 0x41012000u + 0x2000u * ((n) - 2u)                                                                   \
                : 0x43000000u + 0x400u * ((n) - 4u))
#define SERCOM_CTRLA 0x00u
#define SERCOM_CTRLA_SWRST BIT(0)
#define SERCOM_CTRLA_ENABLE BIT(1)
#define SERCOM_CTRLA_USART (1u << 2) /* own clock */
#define SERCOM_CTRLA_SPI (3u << 2)   /* master */
#define SERCOM_CTRLA_RXPO(pad) ((pad) << 20)
#define SERCOM_CTRLA_LSB_FIRST BIT(30)
#define SERCOM_CTRLA_DOPO(pad) ((pad) == 0u ? 0u : 2u << 16) /* data out on pad 0 or 3 */
#define SERCOM_CTRLA_DIPO(pad) ((pad) << 20)
#define SERCOM_CTRLA_MODE3 (BIT(28) | BIT(29)) /* CPHA, CPOL */
#define SERCOM_CTRLB 0x04u
#define SERCOM_CTRLB_TXEN BIT(16)
#define SERCOM_CTRLB_RXEN BIT(17)
#define SERCOM_BAUD 0x0Cu     /* USART 16 bits, SPI 8 bits */
#define SERCOM_INTENCLR 0x14u /* 8 bits */
#define SERCOM_INTENSET 0x16u /* 8 bits */
#define SERCOM_INTFLAG 0x18u  /* 8 bits */
#define SERCOM_INT_TXC BIT(1)
#define SERCOM_INT_RXC BIT(2)
#define SERCOM_INT_ERROR BIT(7)
#define SERCOM_STATUS 0x1Au /* 16 bits */
#define SERCOM_SYNCBUSY 0x1Cu
#define SERCOM_DATA 0x28u
#define SERCOM_IRQ(n) (46u + 4u * (n)) /* four: DRE, TXC, RXC, the others */
#define SERCOM_DMA_RX(n) (4u + 2u * (n))
#define SERCOM_DMA_TX(n) (5u + 2u * (n))
#define GCLK_ID_SERCOM(n) ((n) < 2u ? 7u + (n) : (n) < 4u ? 21u + (n) : 30u + (n))

/* Waits until a synchronized register has taken what was written. */
static inline void sync_wait(uint32_t syncbusy) {
    while (REG(syncbusy) != 0u) {
    }
}

#endif
