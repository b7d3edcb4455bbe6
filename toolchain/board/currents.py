"""Currents from data sheets, for the estimate of the power."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from toolchain.board.strict import Strict

_AMPERES = {"uA": 1e-6, "mA": 1e-3, "uA/MHz": 1e-6}


class Current(Strict):
    """The supply current of one state, or what one part adds to it.

    ``source`` names document, section and page. ``verified`` is false where nobody has looked the figure up yet: it is
    then a memory and not a citation, and everything computed from it says so.
    """

    min: float | None = Field(default=None, ge=0)
    typ: float | None = Field(default=None, ge=0)
    max: float | None = Field(default=None, ge=0)
    unit: Literal["uA", "mA", "uA/MHz"]
    at: str = Field(description="conditions: supply, temperature, mode")
    source: str
    verified: bool = True

    @model_validator(mode="after")
    def _ordered(self) -> Current:
        known = [value for value in (self.min, self.typ, self.max) if value is not None]
        if not known:
            raise ValueError("one of min, typ and max must be there")
        if known != sorted(known):
            raise ValueError("min, typ and max must ascend")
        return self

    def amperes(self, clock_hz: int) -> float:
        """Return the typical value (else max, else min) in ampere, at this core clock where it is given per MHz."""
        value = next(one for one in (self.typ, self.max, self.min) if one is not None)
        per_mhz = clock_hz / 1e6 if self.unit == "uA/MHz" else 1.0
        return value * _AMPERES[self.unit] * per_mhz


class Currents(Strict):
    """Of the SoC (``cpu_run`` executing from flash as the firmware sets it up) and of the sensor; None: not known."""

    supply_v: float = Field(gt=0, description="the voltage that all figures are for")
    cpu_run: Current | None = Field(default=None, description="core running from flash, DC/DC where there is one")
    cpu_run_ldo: Current | None = Field(default=None, description="the same on the linear regulator")
    sleep: Current | None = Field(default=None, description="System ON or the like: RAM kept, any interrupt wakes it")
    hf_clock: Current | None = Field(default=None, description="the crystal oscillator that stamps and baud rate need")
    hf_internal: Current | None = Field(default=None, description="the internal high-frequency oscillator instead")
    timer: Current | None = Field(default=None, description="the timer that stamps, its clock apart")
    rtc: Current | None = Field(default=None, description="the low-frequency counter with its oscillator")
    uart: Current | None = Field(default=None, description="the UART while bytes move")
    uart_receive: Current | None = Field(default=None, description="the UART with its receiver waiting")
    bus: Current | None = Field(default=None, description="SPI or TWI master while bytes move")
    gpio_event: Current | None = Field(default=None, description="a pin's edge detected with time stamp in sleep")
    imu_high_performance: Current | None = Field(default=None, description="accelerometer and gyroscope, best noise")
    imu_normal: Current | None = Field(default=None, description="both, normal mode")
    imu_low_power: Current | None = Field(default=None, description="both, low-power mode")
    imu_accelerometer: Current | None = Field(default=None, description="accelerometer alone, best noise")
    imu_wake_up: Current | None = Field(default=None, description="accelerometer alone, low power, wake-up armed")
    imu_gyroscope: Current | None = Field(default=None, description="what the gyroscope adds when it is on")
    imu_off: Current | None = Field(default=None, description="both powered down")
