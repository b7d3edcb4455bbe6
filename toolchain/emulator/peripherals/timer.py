"""TIMER0-4: 16 MHz / 2^PRESCALER, exact to the tick; compare events are scheduled, not ticked (PS 6.30 TIMER)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from toolchain.emulator.clockwork import Event
from toolchain.emulator.peripherals.base import Peripheral

if TYPE_CHECKING:
    from toolchain.emulator.chip import Chip

_MODE, _BITMODE, _PRESCALER, _CC = 0x504, 0x508, 0x510, 0x540
_MASKS = {0: 0xFFFF, 1: 0xFF, 2: 0xFFFFFF, 3: 0xFFFFFFFF}
_TIMER_HZ = 16_000_000
_COMPARE = 0x140


class Timer(Peripheral):
    """``channels`` is the number of capture/compare registers."""

    def __init__(self, chip: Chip, number: int, base: int, irq: int, channels: int) -> None:
        super().__init__(chip, f"TIMER{number}", base, irq)
        self._channels = range(channels)
        self._cycles_per_16mhz = chip.clock.hz // _TIMER_HZ
        self.tasks = {
            0x000: self._start,
            0x004: self._stop,
            0x008: self._count_one,
            0x00C: self._clear,
            0x010: self._stop,
        }
        for n in self._channels:
            self.tasks[0x040 + 4 * n] = partial(self._capture, n)
            self.events.add(_COMPARE + 4 * n)
            self.defaults[_CC + 4 * n] = 0
            self.writers[_CC + 4 * n] = partial(self._set_compare, n)
            self.shortcuts[n] = (_COMPARE + 4 * n, 0x00C)
            self.shortcuts[8 + n] = (_COMPARE + 4 * n, 0x004)
        self.defaults |= {_MODE: 0, _BITMODE: 0, _PRESCALER: 4}
        self.writers |= {_BITMODE: self._set_bitmode, _PRESCALER: self._set_prescaler}
        self._matches: list[Event | None] = [None] * channels
        self._on_match = [partial(self._match, n) for n in self._channels]
        self._due = [0] * channels
        self.start()

    def start(self) -> None:
        """Reset values: stopped at 0."""
        super().start()
        self._since: int | None = None
        self._value = 0
        self._tick = self._cycles_per_16mhz << self.registers[_PRESCALER]
        self._mask = _MASKS[self.registers[_BITMODE]]

    def interrupt_bit(self, offset: int) -> int:
        """COMPARE[n] is bit 16 + n."""
        return 16 + (offset - _COMPARE) // 4

    def _counting(self) -> bool:
        return self.registers[_MODE] & 3 == 0

    @property
    def running(self) -> bool:
        """Whether it counts by a clock."""
        return self._since is not None

    def count(self) -> int:
        """The counter now."""
        if self._since is None:
            return self._value
        return (self._value + (self.chip.clock.now - self._since) // self._tick) & self._mask

    def _rebase(self) -> None:
        """Keep the counter and the phase of its tick while something else changes."""
        if self._since is not None:
            ticks = (self.chip.clock.now - self._since) // self._tick
            self._value = (self._value + ticks) & self._mask
            self._since += ticks * self._tick

    def _start(self) -> None:
        if self._since is None and self._counting():
            self._since = self.chip.clock.now
            self._schedule()

    def _stop(self) -> None:
        self._value, self._since = self.count(), None
        self._schedule()

    def _clear(self) -> None:
        self._value = 0
        if self._since is not None:
            self._since = self.chip.clock.now
        self._schedule()

    def _count_one(self) -> None:
        if self._counting():
            return
        self._value = (self._value + 1) & self._mask
        for n in self._channels:
            if self.registers[_CC + 4 * n] & self._mask == self._value:
                self.event(_COMPARE + 4 * n)

    def _capture(self, n: int) -> None:
        self._set_compare(n, self.count())

    def _set_compare(self, n: int, value: int) -> None:
        self.registers[_CC + 4 * n] = value
        self._schedule_one(n)

    def _set_bitmode(self, value: int) -> None:
        self._rebase()
        self.registers[_BITMODE] = value
        self._mask = _MASKS[value & 3]
        self._value &= self._mask
        self._schedule()

    def _set_prescaler(self, value: int) -> None:
        self._rebase()
        self.registers[_PRESCALER] = value
        self._tick = self._cycles_per_16mhz << (value & 15)
        self._schedule()

    def _schedule(self) -> None:
        for n in self._channels:
            self._schedule_one(n)

    def _schedule_one(self, n: int) -> None:
        """Find the next time at which the counter becomes CC[n].

        An event that comes sooner stays in the queue and looks again then: captures keep moving the match far ahead.
        """
        pending = self._matches[n]
        if self._since is None:
            if pending is not None:
                pending.cancel()
                self._matches[n] = None
            return
        mask, tick, now = self._mask, self._tick, self.chip.clock.now
        when = self._since + ((self.registers[_CC + 4 * n] - self._value) & mask) * tick
        if when <= now:
            when += ((now - when) // ((mask + 1) * tick) + 1) * (mask + 1) * tick
        self._due[n] = when
        if pending is not None and pending.action is not None:
            if pending.when <= when:
                return
            pending.cancel()
        self._matches[n] = self.chip.clock.at(when, self._on_match[n])

    def _match(self, n: int) -> None:
        self._matches[n] = None
        if self.chip.clock.now < self._due[n]:
            self._matches[n] = self.chip.clock.at(self._due[n], self._on_match[n])
            return
        self._schedule_one(n)
        self.event(_COMPARE + 4 * n)
