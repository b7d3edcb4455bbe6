"""WDT: counts down at 32,768 Hz and resets the chip unless every enabled reload register is fed (PS 6.36 WDT)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from toolchain.emulator.clockwork import Event
from toolchain.emulator.peripherals.base import Peripheral
from toolchain.emulator.peripherals.clock_power import RESET_WATCHDOG
from toolchain.emulator.peripherals.rtc import LFCLK_HZ

if TYPE_CHECKING:
    from toolchain.emulator.chip import Chip

_TIMEOUT, _RUNSTATUS, _REQSTATUS, _CRV, _RREN, _CONFIG, _RR = 0x100, 0x400, 0x404, 0x504, 0x508, 0x50C, 0x600
_FEED = 0x6E524635


class Wdt(Peripheral):
    """The watchdog. It keeps counting in sleep, whatever CONFIG says."""

    def __init__(self, chip: Chip) -> None:
        super().__init__(chip, "WDT", 0x40010000, 16)
        self.tasks = {0x000: self._start}
        self.events = {_TIMEOUT}
        self.defaults = {_RUNSTATUS: 0, _REQSTATUS: 1, _CRV: 0xFFFFFFFF, _RREN: 1, _CONFIG: 1}
        self.writers = {_RR + 4 * n: partial(self._feed, n) for n in range(8)}
        self.start()

    def start(self) -> None:
        """Reset values: not running."""
        super().start()
        self._end: Event | None = None

    def _start(self) -> None:
        if not self.registers[_RUNSTATUS]:
            self.registers[_RUNSTATUS] = 1
            self._reload()

    def _reload(self) -> None:
        if self._end is not None:
            self._end.cancel()
        self.registers[_REQSTATUS] = self.registers[_RREN]
        cycles = (self.registers[_CRV] + 1) * self.chip.clock.hz // LFCLK_HZ
        self._end = self.chip.clock.after(cycles, self._expire)

    def _feed(self, n: int, value: int) -> None:
        if value == _FEED and self.registers[_RUNSTATUS]:
            self.registers[_REQSTATUS] &= ~(1 << n)
            if not self.registers[_REQSTATUS]:
                self._reload()

    def _expire(self) -> None:
        self._end = None
        self.event(_TIMEOUT)
        self.chip.clock.after(2 * self.chip.clock.hz // LFCLK_HZ, lambda: self.chip.reset(RESET_WATCHDOG))
