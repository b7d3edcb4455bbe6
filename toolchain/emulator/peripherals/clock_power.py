"""CLOCK, POWER and APPROTECT, which share 0x40000000 (PS 5.3 POWER, 5.4 CLOCK, 3.8 Access port protection)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolchain.emulator.clockwork import Event
from toolchain.emulator.peripherals.base import Peripheral

if TYPE_CHECKING:
    from toolchain.emulator.chip import Chip

HFXO_START_US = 360
LFXO_START_US = 600
_HFCLKSTARTED, _LFCLKSTARTED, _DONE = 0x100, 0x104, 0x10C
_RUNNING = 1 << 16

RESETREAS, GPREGRET, GPREGRET2 = 0x400, 0x51C, 0x520
RESET_WATCHDOG, RESET_SOFTWARE = 1 << 1, 1 << 2


class ClockPower(Peripheral):
    """Oscillators start after a fixed time; retained registers survive a reset."""

    def __init__(self, chip: Chip) -> None:
        super().__init__(chip, "CLOCK/POWER", 0x40000000, 0)
        self._retained = {RESETREAS: 0, GPREGRET: 0, GPREGRET2: 0}
        self.hfclk_src = 0
        self.tasks = {
            0x000: self._start_hf,
            0x004: self._stop_hf,
            0x008: self._start_lf,
            0x00C: self._stop_lf,
            0x010: lambda: self.event(_DONE),
            0x078: lambda: None,  # CONSTLAT
            0x07C: lambda: None,  # LOWPWR
        }
        self.events = {_HFCLKSTARTED, _LFCLKSTARTED, 0x108, _DONE, 0x110, 0x114, 0x118, 0x11C, 0x120, 0x124}
        plain = (
            0x408,
            0x414,
            0x40C,
            0x418,
            0x428,
            0x438,
            0x500,
            0x510,
            0x518,
            0x538,
            0x550,
            0x558,
            0x578,
            0x580,
            0x640,
        )
        self.defaults = dict.fromkeys(plain, 0) | self._retained
        self.writers = {RESETREAS: self._clear_reason, 0x500: self._system_off}
        self.start()

    def start(self) -> None:
        """Reset values; the retained registers keep theirs (PS 5.3.6)."""
        self._retained.update({offset: self.registers.get(offset, 0) for offset in self._retained})
        super().start()
        self.registers.update(self._retained)
        self.lf_running = False
        self._hf_starting: Event | None = None

    def add_reset_reason(self, bit: int) -> None:
        """Set a bit of RESETREAS."""
        self.registers[RESETREAS] |= bit

    def _clear_reason(self, value: int) -> None:
        self.registers[RESETREAS] &= ~value

    def _system_off(self, value: int) -> None:
        if value & 1:
            self.chip.stop("System OFF")

    @property
    def crystal_runs(self) -> bool:
        """Whether the 32 MHz crystal oscillator was asked for and not stopped since."""
        return bool(self.registers[0x408])

    def _start_hf(self) -> None:
        self.registers[0x408] = 1
        if self.registers[0x40C]:
            self.event(_HFCLKSTARTED)
        elif self._hf_starting is None:
            wait = self.chip.clock.cycles_of_us(HFXO_START_US)
            self._hf_starting = self.chip.clock.after(wait, self._hf_started)

    def _hf_started(self) -> None:
        self._hf_starting = None
        self.registers[0x40C] = _RUNNING | 1
        self.event(_HFCLKSTARTED)

    def _stop_hf(self) -> None:
        if self._hf_starting is not None:
            self._hf_starting.cancel()
            self._hf_starting = None
        self.registers[0x408] = self.registers[0x40C] = 0

    def _start_lf(self) -> None:
        self.registers[0x414] = 1
        self.chip.clock.after(self.chip.clock.cycles_of_us(LFXO_START_US), self._lf_started)

    def _lf_started(self) -> None:
        self.registers[0x418] = _RUNNING | (self.registers[0x518] & 3)
        self.lf_running = True
        self.event(_LFCLKSTARTED)
        self.chip.low_frequency_clock_runs()

    def _stop_lf(self) -> None:
        self.registers[0x414] = self.registers[0x418] = 0
        self.lf_running = False
