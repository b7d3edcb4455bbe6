"""GPIO P0 and P1: outputs, inputs, SENSE with LATCH and DETECT (PS 6.9 GPIO)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from toolchain.emulator.peripherals.base import Peripheral

if TYPE_CHECKING:
    from toolchain.emulator.chip import Chip

_OUT, _OUTSET, _OUTCLR, _IN, _DIR, _DIRSET, _DIRCLR = 0x504, 0x508, 0x50C, 0x510, 0x514, 0x518, 0x51C
_LATCH, _DETECTMODE, _PIN_CNF = 0x520, 0x524, 0x700
_PULL_UP, _SENSE_HIGH, _SENSE_LOW = 3, 2, 3

PinWatcher = Callable[[bool], None]


def _with_bit(mask: int, bit: int, on: bool) -> int:
    return mask | 1 << bit if on else mask & ~(1 << bit)


class Gpio(Peripheral):
    """One port. Pins are numbered port * 32 + pin outside, 0..31 inside."""

    size = 0x780

    def __init__(self, chip: Chip, port: int, pins: int) -> None:
        super().__init__(chip, f"P{port}", 0x50000000 + 0x300 * port)
        self._pins = range(pins)
        self.defaults = {_LATCH: 0, _DETECTMODE: 0}
        self.readers = {
            _IN: lambda: self.levels,
            _OUT: lambda: self._out,
            _OUTSET: lambda: self._out,
            _OUTCLR: lambda: self._out,
            _DIR: lambda: self._dir,
            _DIRSET: lambda: self._dir,
            _DIRCLR: lambda: self._dir,
        }
        self.writers = {
            _OUT: self.set_out,
            _OUTSET: lambda value: self.set_out(self._out | value),
            _OUTCLR: lambda value: self.set_out(self._out & ~value),
            _DIR: self._set_dir,
            _DIRSET: lambda value: self._set_dir(self._dir | value),
            _DIRCLR: lambda value: self._set_dir(self._dir & ~value),
            _LATCH: self._clear_latch,
        }
        for pin in self._pins:
            self.defaults[_PIN_CNF + 4 * pin] = 2
            self.writers[_PIN_CNF + 4 * pin] = partial(self._configure, pin)
        self._driven = self._driven_high = 0
        self._watchers: dict[int, list[PinWatcher]] = {}
        self.start()

    def start(self) -> None:
        """Reset values: inputs, not connected. What drives the pins from outside stays."""
        super().start()
        self._out = self._dir = self._pulled_up = self._sense_high = self._sense_low = 0
        self._detect = False
        self.levels = 0
        self._refresh()

    def watch(self, pin: int, watcher: PinWatcher) -> None:
        """Call ``watcher(level)`` at every change of the pin."""
        self._watchers.setdefault(pin, []).append(watcher)

    def drive(self, pin: int, level: bool) -> None:
        """Something outside drives the pin."""
        self._driven |= 1 << pin
        self._driven_high = _with_bit(self._driven_high, pin, level)
        self._refresh()

    def is_output(self, pin: int) -> bool:
        """True when the chip drives the pin."""
        return bool(self._dir >> pin & 1)

    def is_sensed(self, pin: int) -> bool:
        """True when the pin's level can wake the chip."""
        return bool((self._sense_high | self._sense_low) >> pin & 1)

    def level(self, pin: int) -> bool:
        """The level at the pin now."""
        return bool(self.levels >> pin & 1)

    def set_out(self, value: int) -> None:
        """Write the output latch of the whole port."""
        self._out = value & 0xFFFFFFFF
        self._refresh()

    def write_pin(self, pin: int, level: bool) -> None:
        """Write the output latch of one pin (GPIOTE tasks)."""
        self.set_out(_with_bit(self._out, pin, level))

    def _set_dir(self, value: int) -> None:
        self._dir = value & 0xFFFFFFFF
        for pin in self._pins:
            offset = _PIN_CNF + 4 * pin
            self.registers[offset] = self.registers[offset] & ~1 | (self._dir >> pin & 1)
        self._refresh()

    def _configure(self, pin: int, value: int) -> None:
        self.registers[_PIN_CNF + 4 * pin] = value
        self._dir = _with_bit(self._dir, pin, bool(value & 1))
        self._pulled_up = _with_bit(self._pulled_up, pin, value >> 2 & 3 == _PULL_UP)
        self._sense_high = _with_bit(self._sense_high, pin, value >> 16 & 3 == _SENSE_HIGH)
        self._sense_low = _with_bit(self._sense_low, pin, value >> 16 & 3 == _SENSE_LOW)
        self._refresh()

    def _refresh(self) -> None:
        before = self.levels
        outside = self._driven & self._driven_high | ~self._driven & self._pulled_up
        self.levels = self._dir & self._out | ~self._dir & outside
        changed = before ^ self.levels
        while changed:
            pin = (changed & -changed).bit_length() - 1
            changed &= changed - 1
            for watcher in self._watchers.get(pin, ()):
                watcher(bool(self.levels >> pin & 1))
        self._sense()

    def _sense(self) -> None:
        met = self._sense_high & self.levels | self._sense_low & ~self.levels
        self.registers[_LATCH] |= met
        detect = bool(self.registers[_LATCH] if self.registers[_DETECTMODE] & 1 else met)
        rises = detect and not self._detect
        self._detect = detect
        if rises:
            self.chip.gpiote.port_event()

    def _clear_latch(self, value: int) -> None:
        self.registers[_LATCH] &= ~value
        self._detect = False
        self._sense()
