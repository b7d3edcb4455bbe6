"""What one person's recordings and streams add up to, and the figures of many people.

*Recordings* are scored whole: a recording's answer is its last decision other than none (the winner of docs/SPEC.md,
3, sample by sample); without one the answer is 'none', and nobody tells the recognizer where the gesture lies. The
last command is counted beside it: it asks for threshold, confirmation and latch as well. *Streams* are scored as
:mod:`toolchain.ltc.evaluate` says: a command of an event's class between the start of its motion and 0.6 s after its
end answers it, every other command is a false activation. The shape is that of MLPerf Tiny's streaming test: true
positives, misses, false activations, delay.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from toolchain.evaluation.intervals import Estimate, bootstrap, bootstrap_lists, poisson_rate
from toolchain.ltc.evaluate import AFTER_END_US, motions
from toolchain.recordings.recording import UNKNOWN, Recording


@dataclass(frozen=True)
class Heard:
    """What the recognizer said to one recording: ``commands`` (stamp in its microseconds, class) and the winners (T,).

    ``gap_resets``: how often a gap between its samples reset the state.
    """

    recording: Recording
    commands: tuple[tuple[int, int], ...]
    winner: npt.NDArray[np.uint8]
    gap_resets: int = 0


@dataclass
class PersonScore:
    """One person. Tables have one row and column for each class.

    ``answers``: recordings, truth by last decision other than none; ``commanded``: the same by the last command, none
    where there was none. ``samples``: labelled samples of streams, truth by winner. ``hits``, ``misses``,
    ``false_activations`` by class; ``delays_ms`` from an event's end to its command.
    """

    person: str
    classes: int
    answers: npt.NDArray[np.int64] = field(init=False)
    commanded: npt.NDArray[np.int64] = field(init=False)
    samples: npt.NDArray[np.int64] = field(init=False)
    hits: npt.NDArray[np.int64] = field(init=False)
    misses: npt.NDArray[np.int64] = field(init=False)
    false_activations: npt.NDArray[np.int64] = field(init=False)
    delays_ms: list[float] = field(default_factory=list)
    microseconds: int = 0
    gap_resets: int = 0

    def __post_init__(self) -> None:
        """Start from nothing."""
        square = (self.classes, self.classes)
        self.answers, self.commanded, self.samples = (np.zeros(square, np.int64) for _ in range(3))
        self.hits, self.misses, self.false_activations = (np.zeros(self.classes, np.int64) for _ in range(3))

    def add(self, heard: Heard, background: int) -> None:
        """Count one recording."""
        self.gap_resets += heard.gap_resets
        if heard.recording.kind == "stream":
            self._add_stream(heard, background)
            return
        truth = heard.recording.label(background)
        said = heard.winner[heard.winner != background]
        self.answers[truth, int(said[-1]) if len(said) else background] += 1
        self.commanded[truth, heard.commands[-1][1] if heard.commands else background] += 1

    def _add_stream(self, heard: Heard, background: int) -> None:
        labels, t_us = heard.recording.labels, heard.recording.t_us
        known = labels != UNKNOWN
        np.add.at(self.samples, (labels[known].astype(np.intp), heard.winner[known].astype(np.intp)), 1)
        self.microseconds += int(np.diff(t_us)[known[1:]].sum())
        verdicts = judge(heard, background)
        for verdict in verdicts:
            if verdict.event is not None:
                self.hits[verdict.command] += 1
                self.delays_ms.append(verdict.delay_ms)
            elif verdict.false:
                self.false_activations[verdict.command] += 1
        answered = {verdict.event for verdict in verdicts}
        for index, (_, _, label) in enumerate(motions(labels, background)):
            self.misses[label] += index not in answered


@dataclass(frozen=True)
class Verdict:
    """One command of a stream: the event that it answers, or None; ``false`` unless nobody labelled that moment."""

    stamp: int
    command: int
    event: int | None
    delay_ms: float
    false: bool


def judge(heard: Heard, background: int) -> list[Verdict]:
    """Judge every command of one stream, in order of time; one command answers one event."""
    labels, t_us = heard.recording.labels, heard.recording.t_us
    events = motions(labels, background)
    answered: set[int] = set()
    verdicts = []
    for stamp, command in sorted(heard.commands):
        for index, (start, end, label) in enumerate(events):
            finish = int(t_us[end - 1])
            inside = int(t_us[start]) <= stamp <= finish + AFTER_END_US
            if label == command and inside and index not in answered:
                answered.add(index)
                verdicts.append(Verdict(stamp, command, index, (stamp - finish) * 1e-3, False))
                break
        else:
            here = max(int(np.searchsorted(t_us, stamp, side="right")) - 1, 0)
            verdicts.append(Verdict(stamp, command, None, 0.0, bool(labels[here] != UNKNOWN)))
    return verdicts


def merged(scores: list[PersonScore]) -> list[PersonScore]:
    """Add up scores of the same person (folds, seeds), sorted by name."""
    people: dict[str, PersonScore] = {}
    for one in scores:
        total = people.setdefault(one.person, PersonScore(one.person, one.classes))
        for name in ("answers", "commanded", "samples", "hits", "misses", "false_activations"):
            setattr(total, name, getattr(total, name) + getattr(one, name))
        total.delays_ms = [*total.delays_ms, *one.delays_ms]
        total.microseconds += one.microseconds
        total.gap_resets += one.gap_resets
    return [people[name] for name in sorted(people)]


def _square(sums: npt.NDArray[np.float64], classes: int) -> npt.NDArray[np.float64]:
    return sums.reshape(len(sums), classes, classes)


def _gestures(classes: int, background: int) -> list[int]:
    return [c for c in range(classes) if c != background]


def _divided(top: npt.NDArray[np.float64], bottom: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    result: npt.NDArray[np.float64] = np.divide(top, bottom, out=np.full(top.shape, np.nan), where=bottom > 0)
    return result


def _macro_f1(
    hit: npt.NDArray[np.float64], missed: npt.NDArray[np.float64], false: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Mean of F1 over the classes (last axis) that occur; NaN where none does."""
    score = _divided(2 * hit, 2 * hit + missed + false)
    there = hit + missed > 0
    total = np.where(there, np.nan_to_num(score), 0.0).sum(axis=-1)
    return _divided(np.asarray(total, np.float64), np.asarray(there.sum(axis=-1), np.float64))


def figures(scores: list[PersonScore], background: int) -> dict[str, Estimate]:
    """Return every figure with its interval; those for which there is no material have the value None."""
    classes = scores[0].classes
    gestures = _gestures(classes, background)

    def accuracy(sums: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        table = _square(sums, classes)[:, gestures]
        right = table[:, range(len(gestures)), gestures].sum(axis=1)
        return _divided(right, table.sum(axis=(1, 2)))

    def macro_f1(sums: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        table = _square(sums, classes)
        hit = table[:, gestures, gestures]
        return _macro_f1(hit, table.sum(axis=2)[:, gestures] - hit, table.sum(axis=1)[:, gestures] - hit)

    def quiet(sums: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        table = _square(sums, classes)[:, background]
        return _divided(table[:, background], table.sum(axis=1))

    def events(sums: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], ...]:
        hit, missed, false = (sums.reshape(len(sums), 3, classes)[:, i][:, gestures] for i in range(3))
        return hit, missed, false

    def recall(sums: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        hit, missed, _ = events(sums)
        return _divided(hit.sum(axis=1), (hit + missed).sum(axis=1))

    answers = np.stack([one.answers.ravel() for one in scores])
    commanded = np.stack([one.commanded.ravel() for one in scores])
    samples = np.stack([one.samples.ravel() for one in scores])
    counted = np.stack([np.concatenate([one.hits, one.misses, one.false_activations]) for one in scores])
    delays = [one.delays_ms for one in scores]
    hours = sum(one.microseconds for one in scores) / 3.6e9
    return {
        "accuracy": bootstrap(answers, accuracy),
        "accuracy_command": bootstrap(commanded, accuracy),
        "macro_f1": bootstrap(answers, macro_f1),
        "quiet_background": bootstrap(commanded, quiet),
        "event_recall": bootstrap(counted, recall),
        "event_macro_f1": bootstrap(counted, lambda sums: _macro_f1(*events(sums))),
        "sample_macro_f1": bootstrap(samples, macro_f1),
        "false_per_hour": poisson_rate(int(sum(one.false_activations.sum() for one in scores)), hours),
        "delay_ms_median": bootstrap_lists(delays, lambda some: float(np.median(some))),
        "delay_ms_p95": bootstrap_lists(delays, lambda some: float(np.quantile(some, 0.95))),
    }


def person_dict(one: PersonScore, background: int) -> dict[str, Any]:
    """Return one person's figures as JSON values."""
    gestures = _gestures(one.classes, background)
    right = int(one.answers[gestures, gestures].sum())
    total = int(one.answers[gestures].sum())
    hits, misses = int(one.hits.sum()), int(one.misses.sum())
    false = int(one.false_activations.sum())
    return {
        "person": one.person,
        "recordings": total,
        "accuracy": right / total if total else None,
        "events": hits + misses,
        "event_recall": hits / (hits + misses) if hits + misses else None,
        "false_activations": false,
        "hours": one.microseconds / 3.6e9,
        "delay_ms_median": float(np.median(one.delays_ms)) if one.delays_ms else None,
        "gap_resets": one.gap_resets,
    }
