"""LSM6DSO on SPI, as far as data-ready acquisition goes (ST DS12140: 5.1.2 SPI, chapter 9 registers). No
FIFO, no functions.

Samples appear at the times at which they were fed; the sensor's own rate setting only switches it on.
``feed`` takes codes in the order ax ay az gx gy gz; the output registers hold the gyroscope first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from toolchain.errors import EmulatorError

if TYPE_CHECKING:
    from toolchain.emulator.chip import Chip

COUNTER_BDR_REG1, INT1_CTRL, WHO_AM_I = 0x0B, 0x0D, 0x0F
CTRL1_XL, CTRL2_G, CTRL3_C, CTRL9_XL, STATUS_REG, OUTX_L_G, OUTX_L_A = 0x10, 0x11, 0x12, 0x18, 0x1E, 0x22, 0x28
IDENTITY = 0x6C
_RESET_VALUES = {WHO_AM_I: IDENTITY, CTRL3_C: 0x04, CTRL9_XL: 0xE0}
_WRITABLE = {0x01, 0x02, *range(0x07, 0x0F), *range(0x10, 0x1A), *range(0x56, 0x60), *range(0x73, 0x76)}
_READ_ONLY = {WHO_AM_I, 0x1A, 0x1B, 0x1C, 0x1D, STATUS_REG, *range(0x20, 0x2E), 0x3A, 0x3B}
_OUTPUTS = range(0x20, OUTX_L_A + 6)
_XLDA, _GDA = 1, 2
_ACC_RANGES = {0: 2, 1: 16, 2: 4, 3: 8}
_GYRO_RANGES = {0: 250, 2: 500, 4: 1000, 6: 2000, 1: 125, 3: 125, 5: 125, 7: 125}
PULSE_US, SOFT_RESET_US = 75, 50

Codes = npt.NDArray[np.int16]
Times = npt.NDArray[np.int64]


class Lsm6dso:
    """The sensor. Faults for tests: ``mute`` (takes no samples), ``missing`` (does not answer), ``drop_edges``."""

    name = "LSM6DSO"
    max_hz = 10_000_000
    modes: tuple[int, ...] = (0, 3)

    def __init__(self, chip: Chip, pins: tuple[int, int, int, int, int], ranges: tuple[float, float]) -> None:
        """``pins``: SCK, MOSI, MISO, CS, INT1; ``ranges``: g and degrees per second that the codes are made for."""
        self.sck, self.mosi, self.miso, self.select_pin, self._int1 = pins
        self._ranges = ranges
        self._chip = chip
        self.mute = False
        self.missing = False
        self.drop_edges = 0
        self.delivered = 0
        self.ignored = 0
        self.overwritten = 0
        self.unmodelled: set[int] = set()
        self.on_sample: Callable[[int, int], None] | None = None
        self._queue: list[tuple[Codes, Times]] = []
        self._place = 0
        self._scheduled = False
        self._last_time = -1
        self._address: int | None = None
        self._reading = False
        self._pulse = False
        self._restore()
        chip.port_of(self.select_pin).watch(self.select_pin % 32, self._select_changes)
        chip.spi_slaves.append(self)

    def _restore(self) -> None:
        self._registers = dict.fromkeys(range(0x80), 0) | _RESET_VALUES
        self._resetting = False
        self._drive()

    # ---- samples

    def feed(self, codes: Codes, t_us: Times) -> None:
        """Queue samples: int16 (N, 6), and the virtual time of each in microseconds, increasing."""
        codes = np.asarray(codes)
        t_us = np.asarray(t_us, dtype=np.int64)
        if codes.dtype != np.int16 or codes.ndim != 2 or codes.shape[1] != 6 or t_us.shape != codes.shape[:1]:
            raise EmulatorError(
                f"feed got codes {codes.dtype}{codes.shape} and times {t_us.shape}.",
                "Give int16 (N, 6) and int64 (N,).",
            )
        if not len(t_us):
            return
        if t_us[0] <= self._last_time or np.any(np.diff(t_us) <= 0):
            raise EmulatorError("The times of fed samples must increase.", "Sort the samples, and feed them in order.")
        if self._chip.clock.cycles_of_us(int(t_us[0])) < self._chip.clock.now:
            raise EmulatorError(f"A sample was fed for {t_us[0]} us, which is past.", "Feed before running on.")
        self._last_time = int(t_us[-1])
        self._queue.append((codes.copy(), t_us.copy()))
        self._schedule()

    @property
    def waiting(self) -> int:
        """Fed samples that have not come yet."""
        return sum(len(times) for _, times in self._queue) - self._place

    def _schedule(self) -> None:
        if not self._scheduled and self._queue:
            when = self._chip.clock.cycles_of_us(int(self._queue[0][1][self._place]))
            self._chip.clock.at(when, self._sample, outside=True)
            self._scheduled = True

    def _sample(self) -> None:
        codes, times = self._queue[0]
        code, t_us = codes[self._place], int(times[self._place])
        self._place += 1
        if self._place == len(times):
            self._queue.pop(0)
            self._place = 0
        self._scheduled = False
        self._schedule()
        if self.mute or self._resetting or not (self._on(CTRL1_XL) or self._on(CTRL2_G)):
            self.ignored += 1
            return
        self._take(code)
        if self.on_sample is not None:
            self.on_sample(self.delivered, t_us)
        self.delivered += 1

    def _on(self, control: int) -> bool:
        return bool(self._registers[control] & 0xF0)

    def _check_ranges(self) -> None:
        acc = _ACC_RANGES[self._registers[CTRL1_XL] >> 2 & 3]
        gyro = _GYRO_RANGES[self._registers[CTRL2_G] >> 1 & 7]
        for what, control, has, wanted, unit in (
            ("accelerometer", CTRL1_XL, acc, self._ranges[0], "g"),
            ("gyroscope", CTRL2_G, gyro, self._ranges[1], "degrees per second"),
        ):
            if self._on(control) and has != wanted:
                raise EmulatorError(
                    f"The firmware sets the {what} to {has} {unit}, but the codes are made for {wanted:g}.",
                    "Compare the driver's range with board.toml [imu].",
                )

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
        active = self._pulse if self._pulsed() else unread
        port = self._chip.port_of(self._int1)
        port.drive(self._int1 % 32, active != bool(self._registers[CTRL3_C] & 0x20))

    # ---- bus

    def _select_changes(self, level: bool) -> None:
        self._address = None

    def exchange(self, data: bytes) -> bytes:
        """SPI bytes while selected: address (bit 7: read) first, then data; the address counts up with IF_INC."""
        if self.missing:
            return b"\xff" * len(data)
        answer = bytearray()
        for byte in data:
            if self._address is None:
                self._reading, self._address = bool(byte & 0x80), byte & 0x7F
                answer.append(0xFF)
                continue
            if self._reading:
                answer.append(self._read(self._address))
            else:
                answer.append(0xFF)
                self._write(self._address, byte)
            if self._registers[CTRL3_C] & 0x04:
                self._address = (self._address + 1) & 0x7F
        return bytes(answer)

    def _read(self, address: int) -> int:
        if address not in _WRITABLE and address not in _READ_ONLY:
            self.unmodelled.add(address)
        value = self._registers[address]
        if address in _OUTPUTS and address & 1:
            flag = _XLDA if address >= OUTX_L_A else _GDA if address >= OUTX_L_G else 0
            self._registers[STATUS_REG] &= ~flag
            self._drive()
        return value

    def _write(self, address: int, value: int) -> None:
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
