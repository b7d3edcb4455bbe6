"""LSM9DS1's accelerometer and gyroscope (ST DocID025715 revision 3, chapter 7), as far as asking STATUS_REG goes.

No FIFO, no interrupt pins, no magnetometer. With the gyroscope on, both sensors run at its rate (7.12).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolchain.emulator.interface import Codes
from toolchain.emulator.sensors.fed import FedSensor

if TYPE_CHECKING:
    from toolchain.emulator.chip import Chip

WHO_AM_I, CTRL_REG1_G, STATUS_REG, OUT_X_G = 0x0F, 0x10, 0x17, 0x18
CTRL_REG6_XL, CTRL_REG8, STATUS_REG_XL, OUT_X_XL = 0x20, 0x22, 0x27, 0x28
IDENTITY = 0x68
_RESET_VALUES = {WHO_AM_I: IDENTITY, 0x1E: 0x38, 0x1F: 0x38, CTRL_REG8: 0x04}
_WRITABLE = {*range(0x04, 0x0E), *range(0x10, 0x14), *range(0x1E, 0x25), 0x2E, *range(0x30, 0x38)}
_READ_ONLY = {WHO_AM_I, 0x14, *range(0x15, 0x1E), 0x26, 0x27, *range(0x28, 0x2E), 0x2F}
_XLDA, _GDA = 1, 2
_ACC_RANGES = {0: 2, 1: 16, 2: 4, 3: 8}
_GYRO_RANGES = {0: 245, 1: 500, 3: 2000}
SOFT_RESET_US = 50


class Lsm9ds1(FedSensor):
    """The sensor. ``int1`` must be None: its interrupt pins are not modelled, and lead nowhere where it is soldered."""

    name = "LSM9DS1"

    def __init__(self, chip: Chip, int1: int | None, ranges: tuple[float, float]) -> None:
        super().__init__(chip, ranges)
        self._restore()

    def _restore(self) -> None:
        self._registers = dict.fromkeys(range(0x80), 0) | _RESET_VALUES
        self._resetting = False

    def _gyro_on(self) -> bool:
        return bool(self._registers[CTRL_REG1_G] & 0xE0)

    def _listens(self) -> bool:
        return not self._resetting and (self._gyro_on() or bool(self._registers[CTRL_REG6_XL] & 0xE0))

    def _take(self, code: Codes) -> None:
        acc = _ACC_RANGES[self._registers[CTRL_REG6_XL] >> 3 & 3]
        self._check_range("accelerometer", acc, self._ranges[0], "g")
        fresh = _XLDA
        self._store(OUT_X_XL, code[:3])
        if self._gyro_on():
            gyro = _GYRO_RANGES.get(self._registers[CTRL_REG1_G] >> 3 & 3, 0)
            self._check_range("gyroscope", gyro, self._ranges[1], "degrees per second")
            self._store(OUT_X_G, code[3:])
            fresh |= _GDA
        self.overwritten += bool(self._registers[STATUS_REG] & fresh)
        self._set_status(self._registers[STATUS_REG] | fresh)

    def _store(self, first: int, axes: Codes) -> None:
        for i, byte in enumerate(axes.astype("<i2").tobytes()):
            self._registers[first + i] = byte

    def _set_status(self, value: int) -> None:
        """The flags stand in two registers (7.18, 7.28)."""
        self._registers[STATUS_REG] = self._registers[STATUS_REG_XL] = value

    # ---- registers

    def address_after(self, address: int) -> int:
        """It counts up with CTRL_REG8.IF_ADD_INC."""
        return (address + 1) & 0x7F if self._registers[CTRL_REG8] & 0x04 else address

    def read_register(self, address: int) -> int:
        """A byte; the upper byte of an output clears its data-ready flag."""
        if address not in _WRITABLE and address not in _READ_ONLY:
            self.unmodelled.add(address)
        value = self._registers[address]
        if address & 1 and OUT_X_G <= address < OUT_X_G + 6:
            self._set_status(self._registers[STATUS_REG] & ~_GDA)
        if address & 1 and OUT_X_XL <= address < OUT_X_XL + 6:
            self._set_status(self._registers[STATUS_REG] & ~_XLDA)
        return value

    def write_register(self, address: int, value: int) -> None:
        """Store; CTRL_REG8.SW_RESET restores everything."""
        if address not in _WRITABLE:
            self.unmodelled.add(address)
            return
        if address == CTRL_REG8 and value & 1:
            self._restore()
            self._resetting = True
            self._registers[CTRL_REG8] |= 1
            later = self._chip.clock.now + self._chip.clock.cycles_of_us(SOFT_RESET_US)
            self._chip.clock.at(later, self._end_reset, outside=True)
            return
        self._registers[address] = value

    def _end_reset(self) -> None:
        self._resetting = False
        self._registers[CTRL_REG8] &= ~1
