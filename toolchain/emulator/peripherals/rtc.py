"""RTC0-2: a 24-bit counter at 32,768 Hz / (PRESCALER + 1) (PS 6.22 RTC). It counts only while LFCLK runs."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from toolchain.emulator.clockwork import Event
from toolchain.emulator.peripherals.base import Peripheral

if TYPE_CHECKING:
    from toolchain.emulator.chip import Chip

_TICK, _OVRFLW, _COMPARE = 0x100, 0x104, 0x140
_EVTEN, _EVTENSET, _EVTENCLR = 0x340, 0x344, 0x348
_COUNTER, _PRESCALER, _CC = 0x504, 0x508, 0x540
_MASK = 0xFFFFFF
LFCLK_HZ = 32768


class Rtc(Peripheral):
    """``channels`` is the number of compare registers."""

    def __init__(self, chip: Chip, number: int, base: int, irq: int, channels: int) -> None:
        super().__init__(chip, f"RTC{number}", base, irq)
        self._channels = range(channels)
        self.tasks = {0x000: self._start, 0x004: self._stop, 0x008: self._clear, 0x00C: self._trigger_overflow}
        self.events = {_TICK, _OVRFLW} | {_COMPARE + 4 * n for n in self._channels}
        self.readers = {_COUNTER: self.count}
        self.defaults = {_PRESCALER: 0, _EVTEN: 0, _EVTENSET: 0, _EVTENCLR: 0}
        self.writers = {
            _EVTEN: self._enable,
            _EVTENSET: lambda value: self._enable(self._evten | value),
            _EVTENCLR: lambda value: self._enable(self._evten & ~value),
        }
        for n in self._channels:
            self.defaults[_CC + 4 * n] = 0
            self.writers[_CC + 4 * n] = partial(self._set_compare, n)
        self._pending: dict[int, Event] = {}
        self.start()

    def start(self) -> None:
        """Reset values: stopped at 0."""
        super().start()
        self._wanted = False
        self._since: int | None = None
        self._value = 0
        self._evten = 0
        self._pending.clear()

    def interrupt_bit(self, offset: int) -> int:
        """TICK 0, OVRFLW 1, COMPARE[n] 16 + n."""
        return 16 + (offset - _COMPARE) // 4 if offset >= _COMPARE else (offset - _TICK) // 4

    def write(self, offset: int, size: int, value: int) -> bool:
        """INTEN also decides which events are worth scheduling."""
        done = super().write(offset, size, value)
        if 0x300 <= offset <= 0x308:
            self._schedule()
        return done

    def _enable(self, value: int) -> None:
        self._evten = value
        for offset in (_EVTEN, _EVTENSET, _EVTENCLR):
            self.registers[offset] = value
        self._schedule()

    def _ticks(self, time: int) -> int:
        assert self._since is not None
        return (time - self._since) * LFCLK_HZ // self.chip.clock.hz // (self.registers[_PRESCALER] + 1)

    def _time_of(self, ticks: int) -> int:
        assert self._since is not None
        lf_ticks = ticks * (self.registers[_PRESCALER] + 1)
        return self._since - (-lf_ticks * self.chip.clock.hz // LFCLK_HZ)

    def count(self) -> int:
        """The counter now."""
        if self._since is None:
            return self._value
        return (self._value + self._ticks(self.chip.clock.now)) & _MASK

    def clock_runs(self) -> None:
        """LFCLK has started."""
        if self._wanted and self._since is None:
            self._since = self.chip.clock.now
            self._schedule()

    def _start(self) -> None:
        self._wanted = True
        if self.chip.clock_power.lf_running:
            self.clock_runs()

    def _stop(self) -> None:
        self._value, self._since, self._wanted = self.count(), None, False
        self._schedule()

    def _clear(self) -> None:
        self._set_value(0)

    def _trigger_overflow(self) -> None:
        self._set_value(0xFFFFF0)

    def _set_value(self, value: int) -> None:
        self._value = value
        if self._since is not None:
            self._since = self.chip.clock.now
        self._schedule()

    def _set_compare(self, n: int, value: int) -> None:
        self.registers[_CC + 4 * n] = value & _MASK
        self._schedule()

    def _schedule(self) -> None:
        for event in self._pending.values():
            event.cancel()
        self._pending.clear()
        if self._since is None:
            return
        for offset in self.events:
            if (self._evten | self.inten) >> self.interrupt_bit(offset) & 1:
                self._schedule_one(offset)

    def _schedule_one(self, offset: int) -> None:
        done = self._ticks(self.chip.clock.now)
        now = (self._value + done) & _MASK
        if offset == _TICK:
            wait = 1
        else:
            target = 0 if offset == _OVRFLW else self.registers[_CC + offset - _COMPARE]
            wait = ((target - now - 1) & _MASK) + 1
        self._pending[offset] = self.chip.clock.at(self._time_of(done + wait), partial(self._fire, offset))

    def _fire(self, offset: int) -> None:
        self._schedule_one(offset)
        self.event(offset)
