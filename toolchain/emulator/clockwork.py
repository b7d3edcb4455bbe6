"""Virtual time: one queue of events, counted in core clock cycles.

``now`` is exact: the time of the event while an event runs, and the estimated cycle of the load or store
while the core accesses a peripheral. Events with the same time run in the order in which they were scheduled,
so runs repeat.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable

NEVER = (1 << 63) - 1
"""A time that does not come."""


class Counters:
    """What the block hook counts and looks at; the Python hook's object, or a C structure of the same names.

    ``due``: ask for attention at this cycle; ``attention``: at the next block; ``masked``: once the masks let
    ``masked_priority`` through. ``fpu_off``, ``lazy`` (cycles to charge at the next FPU use) and
    ``divide_trap`` steer the checks; ``event`` is the core's event register. ``current`` is the running
    block's address and ``current_cycles`` its cost. ``stopped`` and ``failed`` say that, and on which guard,
    the hook stopped the core.
    """

    cycles: int
    instructions: int
    due: int
    attention: int
    masked: int
    masked_priority: int
    fpu_off: int
    lazy: int
    divide_trap: int
    event: int
    current: int
    current_cycles: int
    stopped: int
    failed: int


class Event:
    """A scheduled action; :meth:`cancel` makes it void. ``outside`` ones survive a reset of the chip."""

    __slots__ = ("action", "outside", "when")

    def __init__(self, when: int, action: Callable[[], None], outside: bool) -> None:
        self.when = when
        self.outside = outside
        self.action: Callable[[], None] | None = action

    def cancel(self) -> None:
        """Drop the action; the queue forgets the entry when its time comes."""
        self.action = None


class Clockwork:
    """The event queue. ``hz`` is the core clock."""

    def __init__(self, counters: Counters, hz: int) -> None:
        self.hz = hz
        self.now = 0
        self.limit = NEVER
        self._counters = counters
        self._queue: list[tuple[int, int, Event]] = []
        self._order = 0
        self._next = NEVER
        self._crowded = 256

    def at(self, when: int, action: Callable[[], None], *, outside: bool = False) -> Event:
        """Run ``action`` at cycle ``when`` (at once if that is past)."""
        event = Event(max(when, self.now), action, outside)
        if len(self._queue) > self._crowded:
            self._drop_cancelled()
        self._order += 1
        heapq.heappush(self._queue, (event.when, self._order, event))
        if event.when < self._next:
            self._next = event.when
            self._counters.due = min(event.when, self.limit)
        return event

    def _drop_cancelled(self) -> None:
        """Timers cancel far-away matches all the time; do not keep them until their day comes."""
        self._queue = [entry for entry in self._queue if entry[2].action is not None]
        heapq.heapify(self._queue)
        self._crowded = 256 + 2 * len(self._queue)

    def after(self, delay: int, action: Callable[[], None]) -> Event:
        """Run ``action`` ``delay`` cycles from now."""
        return self.at(self.now + delay, action)

    def cycles_of_us(self, microseconds: int) -> int:
        """Whole cycles in ``microseconds``."""
        return microseconds * self.hz // 1_000_000

    def reset(self) -> None:
        """The chip was reset: drop what its peripherals had under way."""
        for _, _, event in self._queue:
            if not event.outside:
                event.cancel()

    def next_time(self) -> int:
        """Time of the next event that was not cancelled, or NEVER."""
        queue = self._queue
        while queue and queue[0][2].action is None:
            heapq.heappop(queue)
        return queue[0][0] if queue else NEVER

    def set_limit(self, limit: int) -> None:
        """The block hook asks for attention at ``limit`` even if nothing is due."""
        self.limit = limit
        self._counters.due = min(self.next_time(), limit)

    def catch_up(self, time: int) -> None:
        """Run everything due up to ``time`` in order; afterwards ``now`` is ``time`` (it never runs back)."""
        if time >= self._next:
            self._run_events(time)
        self.now = max(self.now, time)

    def _run_events(self, time: int) -> None:
        while True:
            when = self.next_time()
            if when > time:
                break
            event = heapq.heappop(self._queue)[2]
            self.now = max(self.now, when)
            action = event.action
            event.action = None
            if action is not None:
                action()
        self._next = when
        self._counters.due = min(when, self.limit)
