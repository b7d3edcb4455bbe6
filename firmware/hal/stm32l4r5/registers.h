/* The registers that this HAL uses, from ST's reference manual RM0432 (STM32L4+; RM, chapter named at each block). Only
 * what is used is listed. */
#ifndef HAL_STM32L4R5_REGISTERS_H
#define HAL_STM32L4R5_REGISTERS_H

#include "hal/common/core.h"

/* FLASH (RM 3). */
#define FLASH_ACR 0x40022000u
#define FLASH_ACR_120MHZ (5u | BIT(8) | BIT(9) | BIT(10)) /* five wait states; prefetch, instruction and data cache */

/* PWR (RM 5). */
#define PWR_CR1 0x40007000u
#define PWR_CR1_DBP BIT(8) /* the backup domain, where the crystal is, can be written */
#define PWR_CR2 0x40007004u
#define PWR_CR2_IOSV BIT(9) /* PG2 to PG15 have a supply of their own, and it is there */
#define PWR_CR5 0x40007080u
#define PWR_CR5_R1MODE BIT(8) /* 0: boost, needed above 80 MHz */

/* RCC (RM 6). */
#define RCC_CR 0x40021000u
#define RCC_CR_MSIRDY BIT(1)
#define RCC_CR_MSIPLLEN BIT(2) /* MSI follows the 32.768 kHz crystal */
#define RCC_CR_MSI_4MHZ (BIT(0) | BIT(3) | (6u << 4))
#define RCC_CR_MSIRANGE (0xFu << 4)
#define RCC_CR_HSION BIT(8)
#define RCC_CR_HSIRDY BIT(10)
#define RCC_CR_PLLON BIT(24)
#define RCC_CR_PLLRDY BIT(25)
#define RCC_CFGR 0x40021008u
#define RCC_CFGR_SW_PLL 3u
#define RCC_CFGR_SWS(cfgr) (((cfgr) >> 2) & 3u)
#define RCC_CFGR_HPRE_2 (8u << 4)
#define RCC_PLLCFGR 0x4002100Cu
#define RCC_PLLCFGR_MSI 1u
#define RCC_PLLCFGR_HSI 2u
#define RCC_PLLCFGR_M(m) (((m) - 1u) << 4)
#define RCC_PLLCFGR_N(n) ((n) << 8)
#define RCC_PLLCFGR_R_2 BIT(24) /* output R on, divided by two */
#define RCC_AHB1ENR 0x40021048u
#define RCC_AHB1ENR_DMA (BIT(0) | BIT(2)) /* DMA1, DMAMUX1 */
#define RCC_AHB2ENR 0x4002104Cu
#define RCC_AHB2ENR_GPIO(pin) BIT((pin) / 32u)
#define RCC_APB1ENR1 0x40021058u
#define RCC_APB1ENR1_TIM5 BIT(3)
#define RCC_APB1ENR1_PWR BIT(28)
#define RCC_APB1ENR2 0x4002105Cu
#define RCC_APB1ENR2_LPUART1 BIT(0)
#define RCC_APB2ENR 0x40021060u
#define RCC_APB2ENR_SPI1 BIT(12)
#define RCC_BDCR 0x40021090u
#define RCC_BDCR_LSEON BIT(0)
#define RCC_BDCR_LSERDY BIT(1)
#define RCC_CSR 0x40021094u
#define RCC_CSR_RMVF BIT(23)

/* IWDG (RM 44); its clock is the internal 32 kHz. */
#define IWDG_KR 0x40003000u
#define IWDG_KR_START 0xCCCCu
#define IWDG_KR_UNLOCK 0x5555u
#define IWDG_KR_FEED 0xAAAAu
#define IWDG_PR 0x40003004u
#define IWDG_PR_64 4u
#define IWDG_RLR 0x40003008u
#define DBGMCU_APB1FZR1 0xE0042008u
#define DBGMCU_APB1FZR1_IWDG BIT(12) /* stands still while a debugger holds the core */

/* TIM5, 32 bits (RM 38). */
#define TIM_IRQ 50u
#define TIM_CR1 0x40000C00u
#define TIM_CR1_CEN BIT(0)
#define TIM_DIER 0x40000C0Cu
#define TIM_SR 0x40000C10u
#define TIM_FLAG(channel) BIT(channel)               /* of DIER and SR */
#define TIM_OVERCAPTURE(channel) BIT(8u + (channel)) /* of SR */
#define TIM_EGR 0x40000C14u
#define TIM_EGR_UG BIT(0)
#define TIM_CCMR(channel) (0x40000C18u + 4u * (((channel) - 1u) / 2u))
#define TIM_CCMR_INPUT(channel) (1u << (8u * (((channel) - 1u) % 2u)))
#define TIM_CCER 0x40000C20u
#define TIM_CCER_ON(channel) BIT(4u * ((channel) - 1u))
#define TIM_CNT 0x40000C24u
#define TIM_PSC 0x40000C28u
#define TIM_ARR 0x40000C2Cu
#define TIM_CCR(channel) (0x40000C34u + 4u * ((channel) - 1u))

/* LPUART1 (RM 54). */
#define LPUART_IRQ 70u
#define LPUART_CR1 0x40008000u
#define LPUART_CR1_ON (BIT(0) | BIT(2) | BIT(3) | BIT(29)) /* UE, RE, TE, FIFOs */
#define LPUART_CR1_RXFNEIE BIT(5)
#define LPUART_CR1_TCIE BIT(6)
#define LPUART_CR3 0x40008008u
#define LPUART_CR3_EIE BIT(0)
#define LPUART_CR3_DMAT BIT(7)
#define LPUART_BRR 0x4000800Cu
#define LPUART_ISR 0x4000801Cu
#define LPUART_ERRORS (BIT(1) | BIT(2) | BIT(3)) /* framing, noise, overrun: of ISR and ICR */
#define LPUART_RXFNE BIT(5)
#define LPUART_TC BIT(6) /* of ISR and ICR */
#define LPUART_ICR 0x40008020u
#define LPUART_RDR 0x40008024u
#define LPUART_TDR 0x40008028u

/* SPI1 (RM 55). */
#define SPI_CR1 0x40013000u
#define SPI_CR1_MODE3 (BIT(0) | BIT(1))
#define SPI_CR1_MASTER (BIT(2) | BIT(8) | BIT(9)) /* MSTR; select by software, held high */
#define SPI_CR1_BR(n) ((n) << 3)                  /* clock / 2^(n + 1) */
#define SPI_CR1_SPE BIT(6)
#define SPI_CR2 0x40013004u
#define SPI_CR2_BYTES_BY_DMA (BIT(0) | BIT(1) | (7u << 8) | BIT(12))
#define SPI_SR 0x40013008u
#define SPI_SR_RXNE BIT(0)
#define SPI_DR 0x4001300Cu

/* DMA1 and DMAMUX1 (RM 11, 12); channels count from 1. */
#define DMA_ISR 0x40020000u
#define DMA_IFCR 0x40020004u
#define DMA_COMPLETE(channel) BIT(4u * ((channel) - 1u) + 1u) /* of ISR and IFCR */
#define DMA_CCR(channel) (0x40020008u + 0x14u * ((channel) - 1u))
#define DMA_CCR_EN BIT(0)
#define DMA_CCR_TCIE BIT(1)
#define DMA_CCR_FROM_RAM BIT(4)
#define DMA_CCR_MINC BIT(7)
#define DMA_CNDTR(channel) (0x4002000Cu + 0x14u * ((channel) - 1u))
#define DMA_CPAR(channel) (0x40020010u + 0x14u * ((channel) - 1u))
#define DMA_CMAR(channel) (0x40020014u + 0x14u * ((channel) - 1u))
#define DMA_IRQ(channel) (10u + (channel))
#define DMAMUX_CCR(channel) (0x40020800u + 4u * ((channel) - 1u))
#define DMAMUX_SPI1_RX 10u
#define DMAMUX_SPI1_TX 11u
#define DMAMUX_LPUART1_TX 35u

/* GPIO (RM 8). */
#define GPIO(pin) (0x48000000u + 0x400u * ((pin) / 32u))
#define GPIO_MODER(pin) (GPIO(pin) + 0x00u)
#define GPIO_OSPEEDR(pin) (GPIO(pin) + 0x08u)
#define GPIO_PUPDR(pin) (GPIO(pin) + 0x0Cu)
#define GPIO_BSRR(pin) (GPIO(pin) + 0x18u)
#define GPIO_AFR(pin) (GPIO(pin) + 0x20u + 4u * (((pin) % 32u) / 8u))
#define GPIO_HIGH(pin) BIT((pin) % 32u)
#define GPIO_LOW(pin) BIT((pin) % 32u + 16u)

#endif
