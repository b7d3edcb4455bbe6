"""What the peripherals have in common: tasks, events, shortcuts, interrupt enables (PS 6.1 Peripheral interface)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from toolchain.errors import EmulatorError

if TYPE_CHECKING:
    from toolchain.emulator.chip import Chip

SHORTS, INTEN, INTENSET, INTENCLR = 0x200, 0x300, 0x304, 0x308
FIRST_EVENT, LAST_EVENT = 0x100, 0x17C


def _trigger(task: Callable[[], None], value: int) -> None:
    if value & 1:
        task()


class Peripheral:
    """Registers by offset; a subclass fills the tables and gives methods to the offsets with side effects."""

    size = 0x1000

    def __init__(self, chip: Chip, name: str, base: int, irq: int | None = None) -> None:
        self.chip = chip
        self.name = name
        self.base = base
        self.irq = irq
        self.defaults: dict[int, int] = {}
        self.tasks: dict[int, Callable[[], None]] = {}
        self.events: set[int] = set()
        self.writers: dict[int, Callable[[int], None]] = {}
        self.readers: dict[int, Callable[[], int]] = {}
        self.shortcuts: dict[int, tuple[int, int]] = {}
        self.registers: dict[int, int] = {}
        self.inten = 0
        self._enabled_events: list[int] = []
        self._line = False

    def start(self) -> None:
        """Take the reset values; called once the tables are filled, and at every reset."""
        self.registers.clear()
        self.registers.update(self.defaults)
        self.registers.update(dict.fromkeys(self.events, 0))
        if self.shortcuts:
            self.registers[SHORTS] = 0
        self.inten = 0
        self._enabled_events = []
        self._line = False

    def read(self, offset: int, size: int) -> int | None:
        """A register's value, or None when it is not modelled."""
        self._check(offset, size)
        reader = self.readers.get(offset)
        if reader is not None:
            return reader()
        if self.events and offset in (INTEN, INTENSET, INTENCLR):
            return self.inten
        if offset in self.tasks:
            return 0
        return self.registers.get(offset)

    def write(self, offset: int, size: int, value: int) -> bool:
        """Store to a register; False when it is not modelled."""
        self._check(offset, size)
        task = self.tasks.get(offset)
        if task is not None:
            if value & 1:
                task()
            return True
        writer = self.writers.get(offset)
        if writer is not None:
            writer(value)
            return True
        if self.events and offset in (INTEN, INTENSET, INTENCLR):
            changes = {INTEN: value, INTENSET: self.inten | value, INTENCLR: self.inten & ~value}
            self.inten = changes[offset]
            self._enabled_events = [o for o in self.events if self.inten >> self.interrupt_bit(o) & 1]
            self.update_line()
            return True
        if offset not in self.registers:
            return False
        self.registers[offset] = value
        if offset in self.events:
            self.update_line()
        return True

    def loader(self, offset: int) -> Callable[[], int] | None:
        """What reads this register, for the bus to keep; None for the long way through :meth:`read`."""
        reader = self.readers.get(offset)
        if reader is None and offset in self.registers and offset not in self.tasks:
            return partial(self.registers.__getitem__, offset)
        return reader

    def storer(self, offset: int) -> Callable[[int], None] | None:
        """What writes this register, for the bus to keep; None for the long way through :meth:`write`."""
        task = self.tasks.get(offset)
        if task is not None:
            return partial(_trigger, task)
        writer = self.writers.get(offset)
        if writer is not None or offset not in self.registers:
            return writer
        return partial(self._set_event if offset in self.events else self.registers.__setitem__, offset)

    def _set_event(self, offset: int, value: int) -> None:
        self.registers[offset] = value
        self.update_line()

    def _check(self, offset: int, size: int) -> None:
        if size != 4 or offset % 4:
            raise EmulatorError(
                f"Access of {size} bytes to {self.name}+{offset:#05x}: the registers take whole words only.",
                "Access peripheral registers as aligned 32-bit words (PS 6.1).",
            )

    def event(self, offset: int) -> None:
        """An event happens now: register, shortcuts, PPI, interrupt line."""
        self.registers[offset] = 1
        for bit, (source, task) in self.shortcuts.items():
            if source == offset and self.registers[SHORTS] >> bit & 1:
                self.tasks[task]()
        self.chip.route(self.base + offset)
        self.update_line()

    def interrupt_bit(self, offset: int) -> int:
        """Bit of INTEN for an event."""
        return (offset - FIRST_EVENT) // 4

    def listened(self, offset: int) -> bool:
        """True when an interrupt or the PPI waits for the event."""
        return bool(self.inten >> self.interrupt_bit(offset) & 1) or self.chip.is_routed(self.base + offset)

    def update_line(self) -> None:
        """Drive the interrupt line: any enabled event whose register is set."""
        if self.irq is None:
            return
        high = False
        for offset in self._enabled_events:
            if self.registers[offset] & 1:
                high = True
        if high != self._line:
            self._line = high
            self.chip.nvic.set_line(self.irq, high)
