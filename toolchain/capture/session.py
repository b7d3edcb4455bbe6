"""The course of a capture: which gesture is asked for when, what keys do, and what of it goes into the journal.

Nothing here reads a port, a key or a clock: :meth:`Session.advance` is told the device's time. A *take* reaches from
one prompt to the next, so that takes tile the session: rest, the gesture, the way back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from toolchain.errors import ConfigError

Note = Callable[..., None]
"""Writes an event: its name, then facts by keyword."""
LABEL_MAX = 31
"""Bytes of a class name in the model image (docs/SPEC.md, 4)."""


class Phase(StrEnum):
    """What the person is doing."""

    WAIT = "wait"
    READY = "ready"
    GO = "go"
    PAUSED = "paused"
    DONE = "done"


@dataclass(frozen=True)
class Prompt:
    """One gesture to ask for, ``seconds`` long from the prompt on; ``number`` of ``of`` with this label."""

    label: str
    number: int
    of: int
    seconds: float


@dataclass(frozen=True)
class Rhythm:
    """Seconds: count-down before the first prompt and before each later one; for a gesture; for the background."""

    first_s: float = 3.0
    ready_s: float = 1.2
    gesture_s: float = 2.5
    background_s: float = 10.0


def prompts(labels: Sequence[str], repeat: int, background: str, rhythm: Rhythm) -> list[Prompt]:
    """Return every prompt, in rounds through ``labels``, so that nobody does one gesture twenty times in a row.

    Raises ConfigError for a label that cannot be a class.
    """
    if not labels:
        raise ConfigError("There is no gesture to capture.", "Name them: --labels swipe_left,tap")
    for label in labels:
        if not label or len(label.encode()) > LABEL_MAX or any(c in label for c in ',"\n\r\t\0'):
            raise ConfigError(f"'{label}' cannot be the name of a gesture.", f"At most {LABEL_MAX} bytes, no comma.")
    if len(set(labels)) != len(labels):
        raise ConfigError("A gesture is named twice in --labels.", "Name each once; --repeat says how often.")
    length = {label: rhythm.background_s if label == background else rhythm.gesture_s for label in labels}
    return [Prompt(label, n + 1, repeat, length[label]) for n in range(repeat) for label in labels]


@dataclass(frozen=True)
class TakeSpan:
    """A take in the device's time: microseconds of life ``epoch``; ``end_us`` None while it runs."""

    number: int
    prompt: Prompt
    epoch: int
    begin_us: int
    go_us: int | None = None
    end_us: int | None = None


class Session:
    """Asks for every prompt in turn. ``note`` writes events to the journal, ``cue`` is told each prompt as it is given.

    ``taken``: finished takes that were not undone, in order.
    """

    def __init__(
        self, prompts: Sequence[Prompt], rhythm: Rhythm, note: Note, cue: Callable[[Prompt], None] = lambda _: None
    ) -> None:
        self.phase = Phase.WAIT
        self.taken: list[TakeSpan] = []
        self.total = len(prompts)
        self.dropped = 0
        self._waiting = deque(prompts)
        self._rhythm = rhythm
        self._note, self._cue = note, cue
        self._take: TakeSpan | None = None
        self._numbers = 0
        self._first = True
        self._now_us = 0
        self._until_us = 0

    @property
    def prompt(self) -> Prompt | None:
        """What is asked for now, or next."""
        if self._take is not None:
            return self._take.prompt
        return self._waiting[0] if self._waiting else None

    @property
    def left_s(self) -> float:
        """Seconds until the phase ends."""
        return max(self._until_us - self._now_us, 0) * 1e-6

    @property
    def length_s(self) -> float:
        """Seconds that the phase lasts."""
        if self.phase is Phase.GO and self._take is not None:
            return self._take.prompt.seconds
        return self._rhythm.first_s if self._first else self._rhythm.ready_s

    def advance(self, device_us: int, epoch: int) -> TakeSpan | None:
        """The newest sample has this stamp; return the take that ended with it, if one did."""
        if self._take is not None and self._take.epoch != epoch:
            self._drop(self._take, "restart")
            self._begin(device_us, epoch)
        self._now_us = device_us
        if self.phase is Phase.WAIT:
            self._begin(device_us, epoch)
        if self.phase not in (Phase.READY, Phase.GO) or device_us < self._until_us:
            return None
        take = self._take
        assert take is not None
        if self.phase is Phase.READY:
            self._take = TakeSpan(take.number, take.prompt, take.epoch, take.begin_us, self._until_us)
            self._note("go", take=take.number, device_us=self._until_us)
            self.phase, self._first = Phase.GO, False
            self._until_us += round(take.prompt.seconds * 1e6)
            self._cue(take.prompt)
            return None
        ended = TakeSpan(take.number, take.prompt, take.epoch, take.begin_us, take.go_us, self._until_us)
        self._note("end", take=take.number, device_us=ended.end_us)
        self.taken.append(ended)
        self._take = None
        self._begin(self._until_us, epoch)
        return ended

    def _begin(self, device_us: int, epoch: int) -> None:
        if not self._waiting:
            self.phase = Phase.DONE
            return
        prompt = self._waiting.popleft()
        self._numbers += 1
        self._take = TakeSpan(self._numbers, prompt, epoch, device_us)
        self._note("begin", take=self._numbers, label=prompt.label, epoch=epoch, device_us=device_us)
        self.phase = Phase.READY
        self._until_us = device_us + round((self._rhythm.first_s if self._first else self._rhythm.ready_s) * 1e6)

    def _drop(self, take: TakeSpan, why: str) -> None:
        """Forget a take and ask for it again."""
        self._note("drop", take=take.number, why=why)
        self.dropped += 1
        self._waiting.appendleft(take.prompt)
        if take is self._take:
            self._take = None

    def undo(self) -> str:
        """Take the last finished take back and ask for it again; return what was done, in words."""
        if not self.taken:
            return "nothing to undo yet"
        last = self.taken.pop()
        if self._take is not None:
            self._drop(self._take, "undo of the one before")
            self.dropped -= 1
        self._drop(last, "undo")
        if self.phase is not Phase.PAUSED:
            self.phase = Phase.WAIT
        return f"{last.prompt.label} {last.prompt.number} of {last.prompt.of} taken back; it comes again"

    def pause(self) -> str:
        """Pause, or go on; what was under way is asked for again. Return what was done, in words."""
        if self.phase is Phase.PAUSED:
            self.phase, self._first = Phase.WAIT, True
            return "going on"
        if self.phase is Phase.DONE:
            return "all done"
        if self._take is not None:
            self._drop(self._take, "pause")
            self.dropped -= 1
        self.phase = Phase.PAUSED
        return "paused; p goes on"

    def state(self) -> dict[str, Any]:
        """Return what a live view shows, JSON values."""
        prompt = self.prompt
        return {
            "phase": str(self.phase),
            "label": prompt.label if prompt else "",
            "number": prompt.number if prompt else 0,
            "of": prompt.of if prompt else 0,
            "left_s": round(self.left_s, 2),
            "taken": len(self.taken),
            "total": self.total,
        }
