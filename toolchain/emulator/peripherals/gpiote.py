"""GPIOTE: eight channels that turn pin edges into events and tasks into pin changes, and PORT (PS 6.10 GPIOTE)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from toolchain.emulator.peripherals.base import Peripheral

if TYPE_CHECKING:
    from toolchain.emulator.chip import Chip

_OUT, _SET, _CLR, _IN, _PORT, _CONFIG = 0x000, 0x030, 0x060, 0x100, 0x17C, 0x510
_EVENT, _TASK = 1, 3
_RISING, _FALLING, _TOGGLE = 1, 2, 3
CHANNELS = range(8)


class Gpiote(Peripheral):
    """Edges are seen at the time at which they happen."""

    def __init__(self, chip: Chip) -> None:
        super().__init__(chip, "GPIOTE", 0x40006000, 6)
        for n in CHANNELS:
            self.tasks[_OUT + 4 * n] = partial(self._out, n)
            self.tasks[_SET + 4 * n] = partial(self._drive, n, True)
            self.tasks[_CLR + 4 * n] = partial(self._drive, n, False)
            self.events.add(_IN + 4 * n)
            self.defaults[_CONFIG + 4 * n] = 0
            self.writers[_CONFIG + 4 * n] = partial(self._configure, n)
        self.events.add(_PORT)
        for pin in range(48):
            chip.port_of(pin).watch(pin % 32, partial(self._edge, pin))
        self.start()

    def _field(self, n: int) -> tuple[int, int, int]:
        """Mode, pin, polarity of a channel."""
        value = self.registers[_CONFIG + 4 * n]
        return value & 3, value >> 8 & 0x3F, value >> 16 & 3

    def _configure(self, n: int, value: int) -> None:
        self.registers[_CONFIG + 4 * n] = value
        mode, pin, _ = self._field(n)
        if mode == _TASK:
            port = self.chip.port_of(pin)
            port.write(0x518, 4, 1 << pin % 32)
            port.write_pin(pin % 32, bool(value >> 20 & 1))

    def _drive(self, n: int, level: bool) -> None:
        mode, pin, _ = self._field(n)
        if mode == _TASK:
            self.chip.port_of(pin).write_pin(pin % 32, level)

    def _out(self, n: int) -> None:
        _, pin, polarity = self._field(n)
        if polarity == _TOGGLE:
            self._drive(n, not self.chip.port_of(pin).level(pin % 32))
        elif polarity:
            self._drive(n, polarity == _RISING)

    def _edge(self, pin: int, level: bool) -> None:
        for n in CHANNELS:
            mode, watched, polarity = self._field(n)
            if mode == _EVENT and watched == pin and polarity in (_TOGGLE, _RISING if level else _FALLING):
                self.event(_IN + 4 * n)

    def port_event(self) -> None:
        """DETECT rose."""
        self.event(_PORT)
