"""PPI: routes events to tasks at the very time of the event (PS 6.16; the chip needs up to a 16 MHz clock more)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from toolchain.emulator.peripherals.base import Peripheral

if TYPE_CHECKING:
    from toolchain.emulator.chip import Chip

CHANNELS = range(20)
GROUPS = range(6)
_CHEN, _CHENSET, _CHENCLR, _CH, _CHG, _FORK = 0x500, 0x504, 0x508, 0x510, 0x800, 0x910


class Ppi(Peripheral):
    """Channels 0-19; the fixed ones (20-31) all end at RADIO, AAR or CCM, which the board does not model."""

    def __init__(self, chip: Chip) -> None:
        super().__init__(chip, "PPI", 0x4001F000)
        self._enabled = 0
        self.routes: dict[int, list[int]] = {}
        for n in CHANNELS:
            for offset in (_CH + 8 * n, _CH + 8 * n + 4, _FORK + 4 * n):
                self.defaults[offset] = 0
                self.writers[offset] = partial(self._set, offset)
        for group in GROUPS:
            self.defaults[_CHG + 4 * group] = 0
            self.tasks[8 * group] = partial(self._group, group, True)
            self.tasks[8 * group + 4] = partial(self._group, group, False)
        self.readers = dict.fromkeys((_CHEN, _CHENSET, _CHENCLR), lambda: self._enabled)
        self.writers |= {
            _CHEN: self._enable,
            _CHENSET: lambda value: self._enable(self._enabled | value),
            _CHENCLR: lambda value: self._enable(self._enabled & ~value),
        }
        self.start()

    def start(self) -> None:
        """Reset values: no channel enabled."""
        super().start()
        self._enable(0)

    def _set(self, offset: int, value: int) -> None:
        self.registers[offset] = value
        self._enable(self._enabled)

    def _group(self, group: int, on: bool) -> None:
        members = self.registers[_CHG + 4 * group]
        self._enable(self._enabled | members if on else self._enabled & ~members)

    def _enable(self, value: int) -> None:
        self._enabled = value & 0xFFFFFFFF
        self.routes.clear()
        for n in CHANNELS:
            source = self.registers[_CH + 8 * n]
            if self._enabled >> n & 1 and source:
                targets = (self.registers[_CH + 8 * n + 4], self.registers[_FORK + 4 * n])
                self.routes.setdefault(source, []).extend(target for target in targets if target)
