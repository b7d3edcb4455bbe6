"""SysTick: a 24-bit counter down at the core clock (ARMv7-M ARM B3.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolchain.emulator.clockwork import Event
from toolchain.emulator.nvic import SYSTICK

if TYPE_CHECKING:
    from toolchain.emulator.chip import Chip

_CSR, _RVR, _CVR, _CALIB = 0xE010, 0xE014, 0xE018, 0xE01C
_ENABLE, _TICKINT, _CLKSOURCE, _COUNTFLAG = 1, 2, 4, 1 << 16
_MASK = 0xFFFFFF


class SysTick:
    """Registers by offset from 0xE0000000. CLKSOURCE is ignored: always the core clock."""

    def __init__(self, chip: Chip) -> None:
        self._chip = chip
        self._next: Event | None = None
        self.reset()

    def reset(self) -> None:
        """Off."""
        self._control = 0
        self._reload = 0
        self._zero_at: int | None = None
        self._flag = False
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _restart(self) -> None:
        """The counter takes the reload value at the next clock."""
        if self._next is not None:
            self._next.cancel()
            self._next = None
        if self._control & _ENABLE and self._reload:
            self._zero_at = self._chip.clock.now + self._reload + 1
            self._next = self._chip.clock.at(self._zero_at, self._wrap)
        else:
            self._zero_at = None

    def _wrap(self) -> None:
        self._flag = True
        if self._control & _TICKINT:
            self._chip.nvic.pend(SYSTICK)
        self._restart()

    def read(self, offset: int) -> int | None:
        """A register's value, or None when it is not here."""
        if offset == _CSR:
            value = self._control | (_COUNTFLAG if self._flag else 0)
            self._flag = False
            return value
        if offset == _RVR:
            return self._reload
        if offset == _CVR:
            return 0 if self._zero_at is None else (self._zero_at - self._chip.clock.now) & _MASK
        return 0xC0000000 if offset == _CALIB else None

    def write(self, offset: int, value: int) -> bool:
        """Store; False when the register is not here."""
        if offset == _CSR:
            was = self._control & _ENABLE
            self._control = value & (_ENABLE | _TICKINT | _CLKSOURCE)
            if bool(was) != bool(value & _ENABLE):
                self._restart()
        elif offset == _RVR:
            self._reload = value & _MASK
        elif offset == _CVR:
            self._flag = False
            self._restart()
        else:
            return offset == _CALIB
        return True
