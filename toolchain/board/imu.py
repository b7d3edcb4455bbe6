"""The inertial sensor: how it is wired, and what one code means."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from toolchain.board.strict import Strict

STANDARD_GRAVITY = 9.80665
"""Standard gravity in m/s^2 (ISO 80000-3)."""
RAD_PER_DEGREE = 0.017453292519943295
POLLS_PER_SAMPLE = 4
"""How often a sensor without a data-ready pin is asked, per sample: a stamp is late by a quarter period at most."""

Vector = Annotated[list[float], Field(min_length=3, max_length=3)]


class Imu(Strict):
    """The sensor of one board.

    ``bus`` is ``test`` where no sensor is: an emulator feeds codes through memory. ``clock`` says what times the
    samples: the sensor's ``data-ready`` pin, or a ``timer`` that asks it where that pin is not wired.
    """

    part: str
    bus: Literal["spi", "i2c", "test"]
    bus_hz: int = Field(gt=0)
    i2c_address: int | None = Field(default=None, ge=0x08, le=0x77, description="7 bits")
    rate_hz: float = Field(gt=0)
    clock: Literal["data-ready", "timer"]
    acc_range_g: float = Field(gt=0)
    acc_lsb_g: float = Field(gt=0)
    gyro_range_dps: float = Field(gt=0)
    gyro_lsb_dps: float = Field(gt=0)
    mounting: Annotated[list[Vector], Field(min_length=3, max_length=3)]

    @model_validator(mode="after")
    def _an_address_on_i2c_only(self) -> Imu:
        if self.bus == "i2c" and self.i2c_address is None:
            raise ValueError("a sensor on I2C needs i2c_address")
        if self.bus != "i2c" and self.i2c_address is not None:
            raise ValueError(f"i2c_address means nothing on bus '{self.bus}'")
        return self

    @model_validator(mode="after")
    def _mounting_is_a_rotation(self) -> Imu:
        for i in range(3):
            for j in range(3):
                dot = sum(a * b for a, b in zip(self.mounting[i], self.mounting[j], strict=True))
                if abs(dot - (1.0 if i == j else 0.0)) > 1e-3:
                    raise ValueError("the mounting matrix must have orthonormal rows")
        return self

    @model_validator(mode="after")
    def _ranges_fit_their_codes(self) -> Imu:
        # Data sheets round generously: the LSM6DSO's 2,000 degrees a second are 28,571 codes, not 32,768.
        for name, full, lsb in (
            ("acc", self.acc_range_g, self.acc_lsb_g),
            ("gyro", self.gyro_range_dps, self.gyro_lsb_dps),
        ):
            if not 0.8 <= full / (32768 * lsb) <= 1.05:
                raise ValueError(f"the {name} range of {full:g} does not fit 16 bits of {lsb:g} each")
        return self

    @property
    def acc_lsb(self) -> float:
        """Acceleration of one code in m/s^2."""
        return self.acc_lsb_g * STANDARD_GRAVITY

    @property
    def gyro_lsb(self) -> float:
        """Angular rate of one code in rad/s."""
        return self.gyro_lsb_dps * RAD_PER_DEGREE

    @property
    def period_us(self) -> int:
        """Nominal sample period in whole microseconds."""
        return round(1e6 / self.rate_hz)

    @property
    def poll_us(self) -> int:
        """Microseconds between two questions of the timer that stands in for data-ready."""
        return self.period_us // POLLS_PER_SAMPLE
