"""Pins, by the names that the SoC's data sheet prints."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from toolchain.board.strict import Strict
from toolchain.errors import ConfigError

PINS_PER_PORT = 32
"""Of the numbers that the firmware sees, whatever the SoC: port * 32 + pin."""
_NORDIC = re.compile(r"P(\d)\.(\d{1,2})")
_LETTERED = re.compile(r"P([A-K])(\d{1,2})")


def pin_number(value: Any) -> Any:
    """Return port * 32 + pin of ``P1.15`` (Nordic) or ``PB03`` (Microchip, ST); anything else as it is.

    Raises ValueError for a text that is neither.
    """
    if not isinstance(value, str):
        return value
    if match := _NORDIC.fullmatch(value):
        port, pin = int(match[1]), int(match[2])
    elif match := _LETTERED.fullmatch(value):
        port, pin = ord(match[1]) - ord("A"), int(match[2])
    else:
        raise ValueError(f"'{value}' is no pin; write it like 'P1.15' or 'PB03'")
    if pin >= PINS_PER_PORT:
        raise ValueError(f"'{value}': a port has {PINS_PER_PORT} pins at most")
    return port * PINS_PER_PORT + pin


Pin = Annotated[int, BeforeValidator(pin_number), Field(ge=0, le=11 * PINS_PER_PORT - 1)]

SPI_PINS = ("spi_sck", "spi_miso", "spi_mosi", "imu_cs")
I2C_PINS = ("i2c_sda", "i2c_scl")


class Pins(Strict):
    """Pins as port * 32 + pin; None: not wired."""

    uart_tx: Pin | None = None
    uart_rx: Pin | None = None
    spi_sck: Pin | None = None
    spi_miso: Pin | None = None
    spi_mosi: Pin | None = None
    imu_cs: Pin | None = None
    i2c_sda: Pin | None = None
    i2c_scl: Pin | None = None
    imu_int1: Pin | None = Field(default=None, description="data-ready")
    imu_power: Pin | None = Field(default=None, description="driven high from the start: it feeds the sensor")
    bus_power: Pin | None = Field(default=None, description="driven high from the start: it feeds the bus's pull-ups")
    mark: Pin | None = Field(default=None, description="for outside instruments")

    @property
    def wired(self) -> dict[str, int]:
        """The pins that there are, by name."""
        return {name: pin for name, pin in self.model_dump().items() if pin is not None}

    def of(self, name: str) -> int:
        """Return a pin that must be wired; raises ConfigError if it is not."""
        if name not in self.wired:
            raise ConfigError(f"pins.{name} is not wired on this board.", f"Wired: {', '.join(self.wired) or 'none'}.")
        return self.wired[name]

    @model_validator(mode="after")
    def _distinct(self) -> Pins:
        used: dict[int, str] = {}
        for name, pin in self.wired.items():
            if pin in used:
                raise ValueError(f"'{name}' and '{used[pin]}' are both pin {pin}")
            used[pin] = name
        return self
