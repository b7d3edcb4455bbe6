"""Pending, enabled and active exceptions with their priorities (ARMv7-M Architecture Reference Manual B1.5,
B3.4).

Three priority bits, as the nRF52840 has. Priorities compare by group (AIRCR.PRIGROUP) for preemption, and by
the whole value and then the number for the choice among pending exceptions.
"""

from __future__ import annotations

from toolchain.emulator.clockwork import Counters

NMI, HARD_FAULT, MEM_MANAGE, BUS_FAULT, USAGE_FAULT = 2, 3, 4, 5, 6
SVCALL, PENDSV, SYSTICK = 11, 14, 15
FIRST_IRQ = 16
IRQS = 48
PRIORITY_BITS = 0xE0
THREAD_PRIORITY = 256
_FIXED = {NMI: -2, HARD_FAULT: -1}


class Nvic:
    """Exception states. ``active`` is the stack of running exceptions, outermost first."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self.active: list[int] = []
        self.reset()

    def reset(self) -> None:
        """As after a reset: nothing pending, nothing active, no interrupt enabled."""
        self.pending = 0
        self.enabled = 0xFFFF
        self.level = 0
        self.priority = [0] * (FIRST_IRQ + IRQS)
        self.active.clear()
        self.group_mask = 0xFF
        self.send_event_on_pend = False

    def set_priority_group(self, prigroup: int) -> None:
        """AIRCR.PRIGROUP: bits [7:PRIGROUP+1] preempt."""
        self.group_mask = 0xFF & ~((2 << prigroup) - 1)
        self._counters.attention = 1

    def group(self, priority: int) -> int:
        """The part of a priority that preempts."""
        return priority if priority < 0 else priority & self.group_mask

    def priority_of(self, exception: int) -> int:
        """Fixed or programmed priority."""
        fixed = _FIXED.get(exception)
        return self.priority[exception] if fixed is None else fixed

    def pend(self, exception: int) -> None:
        """Make an exception pending."""
        bit = 1 << exception
        if not self.pending & bit:
            self.pending |= bit
            if self.send_event_on_pend:
                self._counters.event = 1
        self._counters.attention = 1

    def clear(self, exception: int) -> None:
        """Take the pending state away."""
        self.pending &= ~(1 << exception)

    def set_line(self, irq: int, high: bool) -> None:
        """A peripheral's interrupt line; a high line pends unless its exception already runs."""
        bit = 1 << (FIRST_IRQ + irq)
        if high:
            rises = not self.level & bit
            self.level |= bit
            if rises and FIRST_IRQ + irq not in self.active:
                self.pend(FIRST_IRQ + irq)
        else:
            self.level &= ~bit

    def enable(self, mask: int) -> None:
        """Enable exceptions given as a mask over exception numbers."""
        self.enabled |= mask
        self._counters.attention = 1

    def disable(self, mask: int) -> None:
        """Disable exceptions given as a mask over exception numbers."""
        self.enabled &= ~mask

    def best(self) -> int:
        """The most urgent pending and enabled exception, or 0."""
        waiting = self.pending & self.enabled
        best = 0
        best_priority = THREAD_PRIORITY
        while waiting:
            low = waiting & -waiting
            waiting ^= low
            number = low.bit_length() - 1
            priority = self.priority_of(number)
            if priority < best_priority:
                best, best_priority = number, priority
        return best

    def running_priority(self) -> int:
        """Group priority of what runs, masks apart; 256 in thread mode."""
        return min((self.group(self.priority_of(number)) for number in self.active), default=THREAD_PRIORITY)

    def masked_priority(self, primask: int, basepri: int, faultmask: int) -> int:
        """Group priority that an exception must beat to run now."""
        limit = self.running_priority()
        if basepri:
            limit = min(limit, self.group(basepri))
        if primask & 1:
            limit = min(limit, 0)
        if faultmask & 1:
            limit = min(limit, -1)
        return limit

    def enter(self, exception: int) -> None:
        """An exception becomes active."""
        self.clear(exception)
        self.active.append(exception)

    def leave(self, exception: int) -> None:
        """An exception ends; a line that is still high pends it again."""
        self.active.remove(exception)
        if self.level >> exception & 1:
            self.pend(exception)
        self._counters.attention = 1
