/* The registers that this HAL uses: Arm's MPS2 FPGA image AN386 (Application Note 386, memory map and FPGA system
 * control), the CMSDK peripherals in it (Cortex-M System Design Kit TRM, DDI 0479: timer 4.3, dual timer 4.4, UART 4.5,
 * watchdog 4.6). Only what is used is listed. */
#ifndef HAL_MPS2_REGISTERS_H
#define HAL_MPS2_REGISTERS_H

#include "hal/common/core.h"

/* Timers 0 (alarm) and 1 (test IMU): count down at the system clock. */
#define ALARM_TIMER 0x40000000u
#define ALARM_IRQ 8u
#define IMU_TIMER 0x40001000u
#define IMU_IRQ 9u
#define TIMER_CTRL(base) ((base) + 0x0u)
#define TIMER_CTRL_ON (BIT(0) | BIT(3)) /* enable, interrupt enable */
#define TIMER_VALUE(base) ((base) + 0x4u)
#define TIMER_RELOAD(base) ((base) + 0x8u)
#define TIMER_INTCLEAR(base) ((base) + 0xCu)

/* Dual timer, first half: cycles, counting down from 2^32 - 1. */
#define DUALTIMER_LOAD 0x40002000u
#define DUALTIMER_VALUE 0x40002004u
#define DUALTIMER_CTRL 0x40002008u
#define DUALTIMER_CTRL_ON (BIT(7) | BIT(1)) /* enable, 32 bits; free-running, no prescaler, no interrupt */

/* UART 0 is the console, UART 1 rings the host's bell (test_bench.h). */
#define CONSOLE 0x40004000u
#define CONSOLE_RX_IRQ 0u
#define CONSOLE_TX_IRQ 1u
#define BELL 0x40005000u
#define UART_DATA(base) ((base) + 0x0u)
#define UART_STATE(base) ((base) + 0x4u)
#define UART_STATE_TX_FULL BIT(0)
#define UART_STATE_RX_FULL BIT(1)
#define UART_STATE_RX_OVERRUN BIT(3)
#define UART_CTRL(base) ((base) + 0x8u)
#define UART_CTRL_TX BIT(0)
#define UART_CTRL_RX BIT(1)
#define UART_CTRL_TX_IRQ BIT(2)
#define UART_CTRL_RX_IRQ BIT(3)
#define UART_INTCLEAR(base) ((base) + 0xCu)
#define UART_INT_TX BIT(0)
#define UART_INT_RX BIT(1)
#define UART_BAUDDIV(base) ((base) + 0x10u)

/* Watchdog: interrupt (NMI) at the first zero, reset at the second. */
#define WDT_LOAD 0x40008000u
#define WDT_VALUE 0x40008004u
#define WDT_CONTROL 0x40008008u
#define WDT_CONTROL_ON (BIT(0) | BIT(1)) /* interrupt and reset enable */
#define WDT_INTCLR 0x4000800Cu           /* writing reloads the counter */
#define WDT_LOCK 0x40008C00u
#define WDT_LOCK_OPEN 0x1ACCE551u

/* FPGA system control: LEDs, and a counter behind a prescaler of the system clock. */
#define FPGA_LED0 0x40028000u
#define FPGA_COUNTER 0x40028018u
#define FPGA_PRESCALE 0x4002801Cu
#define FPGA_PRESCALE_1MHZ 24u
#define FPGA_PRESCALE_COUNTER 0x40028020u

#endif
