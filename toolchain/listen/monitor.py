"""What a monitor knows: the signal, the decision, rates and losses, all from the messages of one device."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from toolchain.listen.follow import Connected, Event, Gone, Heard
from toolchain.listen.gesture import Gesture, Labels
from toolchain.listen.listen import printable
from toolchain.wire.capture import Counters
from toolchain.wire.messages import Decision, Health, Hello, Log, Message, Sample, Step

HISTORY = 1024
"""Samples kept for the signal strip: about five seconds at 208 Hz."""
GESTURES = 8
RATE_US = 2_000_000
"""The rate is that of the last two seconds by the device's clock."""


@dataclass
class Monitor:
    """The state of ``tinyltc monitor``; :meth:`take` an event, then look."""

    labels: Labels
    url: str = ""
    hello: Hello | None = None
    gone: str = ""
    counters: Counters | None = None
    health: Health | None = None
    step: Step | None = None
    gestures: deque[Gesture] = field(default_factory=lambda: deque(maxlen=GESTURES))
    logs: deque[str] = field(default_factory=lambda: deque(maxlen=3))
    total: int = 0
    """Samples seen."""
    missing: int = 0
    """Samples that the indices say were worked on and whose message did not come."""
    _codes: deque[tuple[int, ...]] = field(default_factory=lambda: deque(maxlen=HISTORY))
    _stamps: deque[int] = field(default_factory=lambda: deque(maxlen=HISTORY))
    _next: int | None = None

    def take(self, event: Event) -> None:
        """Learn from an event."""
        match event:
            case Connected():
                self.hello, self.url, self.gone = event.hello, event.url, ""
                self._forget()
            case Gone():
                self.gone = event.why
            case Heard():
                self.counters = event.counters
                self._message(event.message)
            case _:
                self.counters = event.counters

    def _forget(self) -> None:
        """A device that starts anew counts anew."""
        self._next, self.step, self.health = None, None, None
        self._codes.clear()
        self._stamps.clear()

    def _message(self, message: Message) -> None:
        match message.body:
            case Hello() as hello:
                self.hello = hello
                self._forget()
            case Sample() as body:
                self._samples(body, message.time_us)
            case Step() as body:
                self.step = body
            case Decision() as body:
                self.gestures.appendleft(self.labels.gesture(body))
            case Health() as body:
                self.health = body
            case Log() as body:
                self.logs.append(printable(body.text))
            case _:
                pass

    def _samples(self, body: Sample, time_us: int) -> None:
        if self._next is not None:
            # Indices are 32 bits wide and wrap after 238 days at 208 Hz; one that goes back is a repeated frame.
            gap = (body.index - self._next) & 0xFFFFFFFF
            self.missing += gap if gap < 1 << 31 else 0
        self._next = (body.index + len(body.codes)) & 0xFFFFFFFF
        self.total += len(body.codes)
        self._codes.extend(body.codes)
        self._stamps.extend(time_us - before for before in body.before_us)

    @property
    def signal(self) -> npt.NDArray[np.int16]:
        """The last codes, int16 (N, 6), oldest first."""
        return np.array(self._codes, np.int16).reshape(-1, 6)

    @property
    def rate_hz(self) -> float | None:
        """Samples a second over the last two seconds of the device's clock; None before there are enough."""
        if not self._stamps:
            return None
        stamps = np.array(self._stamps, np.int64)
        recent = stamps[stamps > stamps[-1] - RATE_US]
        if len(recent) < 3 or recent[-1] <= recent[0]:
            return None
        return float((len(recent) - 1) * 1e6 / (recent[-1] - recent[0]))
