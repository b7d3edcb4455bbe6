"""Which frames were lost, told from the gaps in their sequence numbers."""

from __future__ import annotations

WRAP = 1 << 16
RESTART_US = 1_000_000
"""A device time that goes back by more than this is a restart; frames overtake each other by far less."""


class SequenceTracker:
    """Counts lost frames exactly, although commands overtake other frames.

    The device numbers a frame when it is queued and sends commands first. When a frame that is not a command comes,
    everything numbered before it has come or never will (firmware/core/txqueue.h); a command settles nothing.
    A gap of 32,768 frames or more cannot be told from a repeated frame.

    ``from_start``: the first frame ever sent is number 0 and should be seen; else counting starts where the line does.
    """

    def __init__(self, from_start: bool = False) -> None:
        self.lost = 0
        """Frames that were numbered and will not come."""
        self.repeated = 0
        self.restarts = 0
        self._next: int | None = 0 if from_start else None
        self._early: dict[int, None] = {}
        self._time_us = 0

    @property
    def pending(self) -> int:
        """Gaps before commands that came early: those frames still wait in the device, or are lost."""
        if not self._early:
            return 0
        start = self._next if self._next is not None else next(iter(self._early))
        return max((number - start) % WRAP for number in self._early) + 1 - len(self._early)

    def see(self, sequence: int, time_us: int, command: bool) -> None:
        """Take the next frame's sequence number, device time and whether its kind overtakes others."""
        if time_us + RESTART_US < self._time_us:
            self.restarts += 1
            self.lost += self.pending
            self._next, self._early, self._time_us = 0, {}, 0
        self._time_us = max(self._time_us, time_us)
        if self._next is None:
            if command:
                self._early[sequence] = None
                return
            self._next = sequence
            self._early = {n: None for n in self._early if (n - sequence) % WRAP < WRAP // 2}
        ahead = (sequence - self._next) % WRAP
        if ahead >= WRAP // 2 or sequence in self._early:
            self.repeated += 1
            return
        if command:
            self._early[sequence] = None
        else:
            passed = [n for n in self._early if (n - self._next) % WRAP < ahead]
            self.lost += ahead - len(passed)
            for number in passed:
                del self._early[number]
            self._next = (sequence + 1) % WRAP
        while self._next in self._early:
            del self._early[self._next]
            self._next = (self._next + 1) % WRAP
