"""Everything that a device said, as arrays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toolchain.wire.messages import Decision, Health, Hello, Log, Message, Sample, Step, Timing

SAMPLE = np.dtype([("index", "<u4"), ("t_us", "<u8"), ("code", "<i2", 6)])
TIMING = np.dtype(
    [("index", "<u4"), ("burst_us", "<u4"), ("cycles", "<u4", 5), ("decision_us", "<u4"), ("command_us", "<u4")]
)
DECISION = np.dtype([("index", "<u4"), ("winner", "u1"), ("margin", "<i4"), ("stamp_us", "<u8")])


def step_type(outputs: int) -> np.dtype[np.void]:
    """Return the type of one row of steps."""
    return np.dtype(
        [
            ("index", "<u4"),
            ("delta_us", "<u4"),
            ("reset", "?"),
            ("fired", "?"),
            ("winner", "u1"),
            ("margin", "<i4"),
            ("state_crc", "<u4"),
            ("y", "i1", outputs),
        ]
    )


Rows = npt.NDArray[np.void]


@dataclass(frozen=True)
class Record:
    """One row per sample index, sorted by it: ``samples``, ``steps``, ``timings``, ``decisions``.

    ``duplicates``: rows that came a second time and were left out. ``bad_steps``: STEP messages with another number
    of outputs than the model has.
    """

    samples: Rows
    steps: Rows
    timings: Rows
    decisions: Rows
    duplicates: int
    bad_steps: int
    health: Health | None
    hello: Hello | None
    logs: tuple[Log, ...]


class Recorder:
    """Takes messages in the order in which they come, and keeps them compactly."""

    def __init__(self, outputs: int) -> None:
        self._types = {
            Sample: SAMPLE,
            Step: step_type(outputs),
            Timing: TIMING,
            Decision: DECISION,
        }
        self._chunks: dict[type, list[Rows]] = {kind: [] for kind in self._types}
        self._outputs = outputs
        self._bad_steps = 0
        self._health: Health | None = None
        self._hello: Hello | None = None
        self._logs: list[Log] = []

    def add(self, messages: Iterable[Message]) -> None:
        """Take messages."""
        rows: dict[type, list[tuple[object, ...]]] = {kind: [] for kind in self._types}
        for message in messages:
            match message.body:
                case Step() as step:
                    if len(step.y) != self._outputs:
                        self._bad_steps += 1
                        continue
                    head = (step.index, step.delta_us, step.reset, step.fired, step.winner, step.margin)
                    rows[Step].append((*head, step.state_crc, step.y))
                case Timing() as t:
                    rows[Timing].append((t.index, t.burst_us, t.cycles, t.decision_us, t.command_us))
                case Sample() as sample:
                    for place, (before, code) in enumerate(zip(sample.before_us, sample.codes, strict=True)):
                        index = (sample.index + place) & 0xFFFF_FFFF
                        rows[Sample].append((index, (message.time_us - before) % 2**64, code))
                case Decision() as decision:
                    rows[Decision].append((decision.index, decision.winner, decision.margin, decision.stamp_us))
                case Health() as health:
                    self._health = health
                case Hello() as hello:
                    self._hello = hello
                case Log() as log:
                    self._logs.append(log)
        for kind, new in rows.items():
            if new:
                self._chunks[kind].append(np.array(new, self._types[kind]))

    def record(self) -> Record:
        """Return everything so far."""
        duplicates = 0
        tables: list[Rows] = []
        for kind, chunks in self._chunks.items():
            table = np.concatenate([np.empty(0, self._types[kind]), *chunks])
            _, first = np.unique(table["index"], return_index=True)
            duplicates += len(table) - len(first)
            tables.append(table[first])
        samples, steps, timings, decisions = tables
        kept = (duplicates, self._bad_steps, self._health, self._hello, tuple(self._logs))
        return Record(samples, steps, timings, decisions, *kept)
