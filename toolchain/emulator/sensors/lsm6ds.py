"""ST's LSM6DSO and LSM6DS3TR-C, as far as data-ready acquisition goes. No FIFO, no functions.

DS: LSM6DSO data sheet DS12140, chapter 9; the LSM6DS3TR-C (DocID030071, chapter 9) has the same registers as far as
they are modelled here, but for its identity. The output registers hold the gyroscope first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolchain.emulator.interface import Codes
from toolchain.emulator.sensors.fed import FedSensor

if TYPE_CHECKING:
    from toolchain.emulator.chip import Chip

COUNTER_BDR_REG1, INT1_CTRL, WHO_AM_I = 0x0B, 0x0D, 0x0F
CTRL1_XL, CTRL2_G, CTRL3_C, CTRL9_XL, STATUS_REG, OUTX_L_G, OUTX_L_A = 0x10, 0x11, 0x12, 0x18, 0x1E, 0x22, 0x28
_RESET_VALUES = {CTRL3_C: 0x04, CTRL9_XL: 0xE0}
_WRITABLE = {0x01, 0x02, *range(0x07, 0x0F), *range(0x10, 0x1A), *range(0x56, 0x60), *range(0x73, 0x76)}
_READ_ONLY = {WHO_AM_I, 0x1A, 0x1B, 0x1C, 0x1D, STATUS_REG, *range(0x20, 0x2E), 0x3A, 0x3B}
_OUTPUTS = range(0x20, OUTX_L_A + 6)
_XLDA, _GDA = 1, 2
_ACC_RANGES = {0: 2, 1: 16, 2: 4, 3: 8}
_GYRO_RANGES = {0: 250, 2: 500, 4: 1000, 6: 2000, 1: 125, 3: 125, 5: 125, 7: 125}
PULSE_US, SOFT_RESET_US = 75, 50


class Lsm6ds(FedSensor):
    """One of the family; a subclass gives its identity. ``int1``: the pin its data-ready goes to, None if nowhere."""

    identity: int

    def __init__(self, chip: Chip, int1: int | None, ranges: tuple[float, float]) -> None:
        super().__init__(chip, ranges)
        self._int1 = int1
        self._pulse = False
        self._restore()

    def _restore(self) -> None:
        self._registers = dict.fromkeys(range(0x80), 0) | _RESET_VALUES | {WHO_AM_I: self.identity}
        self._resetting = False
        self._drive()

    def _listens(self) -> bool:
        return not self._resetting and (self._on(CTRL1_XL) or self._on(CTRL2_G))

    def _on(self, control: int) -> bool:
        return bool(self._registers[control] & 0xF0)

    def _check_ranges(self) -> None:
        acc = _ACC_RANGES[self._registers[CTRL1_XL] >> 2 & 3]
        gyro = _GYRO_RANGES[self._registers[CTRL2_G] >> 1 & 7]
        if self._on(CTRL1_XL):
            self._check_range("accelerometer", acc, self._ranges[0], "g")
        if self._on(CTRL2_G):
            self._check_range("gyroscope", gyro, self._ranges[1], "degrees per second")

    def _take(self, code: Codes) -> None:
        self._check_ranges()
        status = self._registers[STATUS_REG]
        fresh = 0
        for control, bit, first, axes in ((CTRL2_G, _GDA, OUTX_L_G, code[3:]), (CTRL1_XL, _XLDA, OUTX_L_A, code[:3])):
            if self._on(control):
                fresh |= bit
                for i, byte in enumerate(axes.astype("<i2").tobytes()):
                    self._registers[first + i] = byte
        self.overwritten += bool(status & fresh)
        self._registers[STATUS_REG] = status | fresh
        if self.drop_edges and self._routed() & fresh:
            self.drop_edges -= 1
            return
        if self._pulsed() and self._routed() & fresh:
            self._pulse = True
            end = self._chip.clock.now + self._chip.clock.cycles_of_us(PULSE_US)
            self._chip.clock.at(end, self._end_pulse, outside=True)
        self._drive()

    def _end_pulse(self) -> None:
        self._pulse = False
        self._drive()

    def _pulsed(self) -> bool:
        return bool(self._registers[COUNTER_BDR_REG1] & 0x80)

    def _routed(self) -> int:
        return self._registers[INT1_CTRL] & (_XLDA | _GDA)

    def _drive(self) -> None:
        """Set INT1: the pulse, or routed data-ready flags that nobody has read (CTRL3_C.H_LACTIVE inverts)."""
        unread = bool(self._routed() & self._registers[STATUS_REG])
        if self._int1 is None:
            return
        active = self._pulse if self._pulsed() else unread
        port = self._chip.port_of(self._int1)
        port.drive(self._int1 % 32, active != bool(self._registers[CTRL3_C] & 0x20))

    # ---- registers

    def address_after(self, address: int) -> int:
        """It counts up with CTRL3_C.IF_INC."""
        return (address + 1) & 0x7F if self._registers[CTRL3_C] & 0x04 else address

    def read_register(self, address: int) -> int:
        """A byte; the upper byte of an output clears its data-ready flag."""
        if address not in _WRITABLE and address not in _READ_ONLY:
            self.unmodelled.add(address)
        value = self._registers[address]
        if address in _OUTPUTS and address & 1:
            flag = _XLDA if address >= OUTX_L_A else _GDA if address >= OUTX_L_G else 0
            self._registers[STATUS_REG] &= ~flag
            self._drive()
        return value

    def write_register(self, address: int, value: int) -> None:
        """Store; CTRL3_C.SW_RESET restores everything."""
        if address not in _WRITABLE:
            self.unmodelled.add(address)
            return
        if address == CTRL3_C and value & 1:
            self._restore()
            self._resetting = True
            self._registers[CTRL3_C] |= 1
            self._chip.clock.at(
                self._chip.clock.now + self._chip.clock.cycles_of_us(SOFT_RESET_US), self._end_reset, outside=True
            )
            return
        self._registers[address] = value
        self._drive()

    def _end_reset(self) -> None:
        self._resetting = False
        self._registers[CTRL3_C] &= ~1


class Lsm6dso(Lsm6ds):
    """LSM6DSO (DS 9.11 WHO_AM_I)."""

    name = "LSM6DSO"
    identity = 0x6C


class Lsm6ds3trc(Lsm6ds):
    """LSM6DS3TR-C (DocID030071, 9.11 WHO_AM_I)."""

    name = "LSM6DS3TR-C"
    identity = 0x6A
