"""What a device did with its time: the measured half of an estimate of its power."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from toolchain.board.strict import Strict

Share = float
ImuMode = Literal["imu_high_performance", "imu_normal", "imu_low_power", "imu_accelerometer", "imu_wake_up", "imu_off"]
"""Which entry of ``[currents]`` the sensor draws."""


class Duty(Strict):
    """Shares of the whole time, 0 to 1, in one mode of operation.

    ``cpu``: the core runs. ``hf_asleep``: the core sleeps and something (a timer, a receiver) keeps a high-frequency
    clock running. ``uart``, ``bus``: bytes move. ``receiver``: the UART's receiver waits. ``lf``: the low-frequency
    counter runs. ``imu``: time in each mode of the sensor, which must add up to the whole.
    """

    mode: str = Field(description="what the device was doing, for a reader")
    seconds: float = Field(gt=0, description="so long it was watched, in the device's time")
    source: str = Field(description="how the shares were measured")
    cpu: Share = Field(ge=0, le=1)
    hf_asleep: Share = Field(ge=0, le=1)
    lf: Share = Field(ge=0, le=1)
    uart: Share = Field(ge=0, le=1)
    receiver: Share = Field(ge=0, le=1)
    bus: Share = Field(ge=0, le=1)
    regulator: Literal["dcdc", "ldo"] = "dcdc"
    imu: dict[ImuMode, Share]

    @model_validator(mode="after")
    def _shares_add_up(self) -> Duty:
        if self.cpu + self.hf_asleep > 1 + 1e-9:
            raise ValueError("cpu and hf_asleep are parts of the same time and must not exceed it")
        if abs(sum(self.imu.values()) - 1) > 1e-6:
            raise ValueError(f"the sensor's modes add up to {sum(self.imu.values()):g} of the time, expected 1")
        return self
