"""NVMC: flash that erases to ones, and writes that only clear bits (PS 4.3 NVMC). The core stands still
meanwhile.

The core stores to flash directly while CONFIG.WEN is 1; what it stored is found by comparing with a copy when
READY or CONFIG is touched or a second access is due, and there the bits are joined. Each changed word costs
the time of a write.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from toolchain.emulator.memory import Region
from toolchain.emulator.peripherals.base import Peripheral
from toolchain.errors import EmulatorError

if TYPE_CHECKING:
    from toolchain.emulator.chip import Chip

_READY, _READYNEXT, _CONFIG, _ERASEPAGE, _ERASEALL, _ERASEUICR = 0x400, 0x408, 0x504, 0x508, 0x50C, 0x514
_ICACHECNF = 0x540
_WRITE, _ERASE = 1, 2
PAGE = 4096
WRITE_US, PAGE_ERASE_US, FULL_ERASE_US = 41, 85_000, 169_000


class Nvmc(Peripheral):
    """The non-volatile memory controller."""

    def __init__(self, chip: Chip) -> None:
        super().__init__(chip, "NVMC", 0x4001E000)
        self.defaults = {_CONFIG: 0, _ICACHECNF: 0, 0x518: 0, 0x51C: 0, 0x548: 0, 0x54C: 0}
        self.readers = {_READY: self._ready, _READYNEXT: self._ready}
        self.writers = {
            _CONFIG: self._configure,
            _ERASEPAGE: self._erase_page,
            _ERASEALL: self._erase_all,
            _ERASEUICR: self._erase_uicr,
        }
        self._copies: list[tuple[Region, bytes]] = []
        self.start()

    def _ready(self) -> int:
        self._settle()
        return 1

    def _configure(self, value: int) -> None:
        self._settle()
        self._copies = []
        memory = self.chip.memory
        if (value ^ self.registers[_CONFIG]) & _WRITE:
            memory.protect_flash(bool(value & _WRITE))
        if value & _WRITE:
            self._copies = [(region, bytes(region.view)) for region in (memory.flash, memory.uicr)]
        self.registers[_CONFIG] = value

    def _settle(self) -> None:
        """Join what the core stored with what was there; stand still for the time of the writes."""
        for place, (region, old) in enumerate(self._copies):
            now = np.frombuffer(region.view, dtype="<u4")
            before = np.frombuffer(old, dtype="<u4")
            changed = np.flatnonzero(now != before)
            if changed.size:
                now[changed] &= before[changed]
                self._copies[place] = (region, bytes(region.view))
                self.chip.stall_us(WRITE_US * int(changed.size))
                first, last = int(changed[0]), int(changed[-1])
                self.chip.code_changed(region.base + 4 * first, 4 * (last - first + 1))

    def _need_erase(self, what: str) -> None:
        if self.registers[_CONFIG] & 3 != _ERASE:
            raise EmulatorError(f"NVMC {what} while CONFIG.WEN does not allow erasing.", "Set CONFIG to Een first.")

    def _erase(self, region: Region, address: int, size: int, microseconds: int) -> None:
        region.write(address, b"\xff" * size)
        self.chip.stall_us(microseconds)
        self.chip.code_changed(address, size)

    def _erase_page(self, value: int) -> None:
        self._need_erase("ERASEPAGE")
        flash = self.chip.memory.flash
        if value % PAGE or not flash.holds(value, PAGE):
            raise EmulatorError(
                f"NVMC ERASEPAGE of {value:#010x}, which is no flash page.", "Give a page's first address."
            )
        self._erase(flash, value, PAGE, PAGE_ERASE_US)

    def _erase_all(self, value: int) -> None:
        if value & 1:
            self._need_erase("ERASEALL")
            flash = self.chip.memory.flash
            self._erase(flash, flash.base, flash.size, FULL_ERASE_US)
            self._erase_uicr(1)

    def _erase_uicr(self, value: int) -> None:
        if value & 1:
            self._need_erase("ERASEUICR")
            uicr = self.chip.memory.uicr
            self._erase(uicr, uicr.base, uicr.size, PAGE_ERASE_US)
