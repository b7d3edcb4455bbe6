/* GPIO: the mark pin, and what the other files ask for (RM 8). */
#include "hal/stm32l4r5/parts.h"
#include "hal/stm32l4r5/registers.h"

#include "board_config.h"
#include "hal/hal.h"

#define MODE_OUTPUT 1u
#define MODE_ALTERNATE 2u
#define SPEED_HIGH 2u

/* Sets the pin's field of `bits` bits in a register that holds one for each pin. */
static void field(uint32_t address, uint32_t place, uint32_t bits, uint32_t value) {
    const uint32_t shift = bits * place;
    REG(address) = (REG(address) & ~((BIT(bits) - 1u) << shift)) | (value << shift);
}

static void clock_port(uint32_t pin) {
    REG(RCC_AHB2ENR) |= RCC_AHB2ENR_GPIO(pin);
    (void)REG(RCC_AHB2ENR);
}

void pin_output(uint32_t pin, bool high) {
    clock_port(pin);
    REG(GPIO_BSRR(pin)) = high ? GPIO_HIGH(pin) : GPIO_LOW(pin);
    field(GPIO_MODER(pin), pin % 32u, 2u, MODE_OUTPUT);
}

void pin_function(uint32_t pin, uint32_t function, pin_pull pull) {
    clock_port(pin);
    field(GPIO_PUPDR(pin), pin % 32u, 2u, pull);
    field(GPIO_OSPEEDR(pin), pin % 32u, 2u, SPEED_HIGH);
    field(GPIO_AFR(pin), pin % 8u, 4u, function);
    field(GPIO_MODER(pin), pin % 32u, 2u, MODE_ALTERNATE);
}

void pins_init(void) {
    REG(PWR_CR2) |= PWR_CR2_IOSV;
    pin_output(TL_BOARD_PIN_MARK, false);
#ifdef TL_BOARD_PIN_IMU_POWER
    pin_output(TL_BOARD_PIN_IMU_POWER, true);
#endif
}

void hal_mark(bool high) {
    REG(GPIO_BSRR(TL_BOARD_PIN_MARK)) = high ? GPIO_HIGH(TL_BOARD_PIN_MARK) : GPIO_LOW(TL_BOARD_PIN_MARK);
}
