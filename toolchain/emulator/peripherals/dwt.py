"""DWT: the cycle counter, while DEMCR.TRCENA and CTRL.CYCCNTENA are set and the core is awake (ARMv7-M ARM C1.8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from toolchain.emulator.chip import Chip

_CTRL, _CYCCNT, _DEMCR = 0x1000, 0x1004, 0xEDFC
_TRCENA = 1 << 24
_CTRL_RESET = 0x40000000


class Dwt:
    """Registers by offset from 0xE0000000; DEMCR belongs to it because it switches it on."""

    def __init__(self, chip: Chip) -> None:
        self._chip = chip
        self.reset()

    def reset(self) -> None:
        """Counter off."""
        self._ctrl = _CTRL_RESET
        self._demcr = 0
        self._count = 0
        self._since: int | None = None

    def _awake(self) -> int:
        return self._chip.clock.now - self._chip.sleep_cycles()

    def _value(self) -> int:
        running = 0 if self._since is None else self._awake() - self._since
        return (self._count + running) & 0xFFFFFFFF

    def _switch(self) -> None:
        self._count = self._value()
        on = self._demcr & _TRCENA and self._ctrl & 1
        self._since = self._awake() if on else None

    def read(self, offset: int) -> int | None:
        """A register's value, or None when it is not here."""
        if offset == _CYCCNT:
            return self._value()
        return {_CTRL: self._ctrl, _DEMCR: self._demcr}.get(offset)

    def write(self, offset: int, value: int) -> bool:
        """Store; False when the register is not here."""
        if offset == _CYCCNT:
            self._count = value
            self._since = None if self._since is None else self._awake()
        elif offset == _CTRL:
            self._ctrl = _CTRL_RESET | value & 0x0FFFFFFF
            self._switch()
        elif offset == _DEMCR:
            self._demcr = value
            self._switch()
        else:
            return False
        return True
