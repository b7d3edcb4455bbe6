"""Scores: end-of-window accuracy and confusion, and events, false activations and delay in streams.

Everything is generic over the source of the logits: float, int8 or device. *End-of-window accuracy*: the decision's
winner (docs/SPEC.md, 3) at the last sample of each window is the window's class. *Event recall*: an event (one
gesture in a stream) is recalled when a command of its class is fired between the start of its motion and 0.6 s after
its end; one command answers one event. Every other command is a *false activation*. A command at a sample that
nobody labelled counts for neither, and such time is no part of the hours. The *delay* runs from the end of the motion
to the command, and is negative for a command that comes before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from toolchain.board import Imu
from toolchain.ltc.decision import Decision, Decisions, decide_all
from toolchain.ltc.modelspec import DecisionSpec, ModelSpec
from toolchain.ltc.step import FloatNetwork, model_dt, network_input, timing
from toolchain.recordings.codes import to_codes
from toolchain.recordings.recording import UNKNOWN, Recording

AFTER_END_US = 600_000
"""A command this long after a gesture's end still answers it."""
FLOAT_Y_SCALE = 2.0**-10
"""Float logits become integers of this step for the decision: fine enough to change nothing."""
_TOGETHER = 32
"""Recordings per run. Up to here OpenBLAS multiplies by 64-wide layers in one thread; its threads cost more than they
give on products this small, and tenfold on a busy machine."""

Logits = Callable[[Sequence[Recording]], list[npt.NDArray[np.integer]]]
"""Gives the integer logits (T, outputs) of recordings."""


@dataclass(frozen=True)
class WindowScore:
    """Windows by class: ``confusion`` (classes, classes), rows are the truth."""

    confusion: npt.NDArray[np.int64]

    @property
    def windows(self) -> int:
        """How many were scored."""
        return int(self.confusion.sum())

    @property
    def accuracy(self) -> float:
        """Fraction that is right; 0 without windows."""
        return float(np.trace(self.confusion) / max(self.windows, 1))

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {"accuracy": self.accuracy, "windows": self.windows, "confusion": self.confusion.tolist()}


@dataclass(frozen=True)
class StreamScore:
    """Events in streams: ``delays_ms`` of those that were recalled, ``microseconds`` of labelled time."""

    events: int
    false_activations: int
    delays_ms: tuple[float, ...]
    microseconds: int

    @property
    def event_recall(self) -> float:
        """Fraction of the events that were recalled; 0 without events."""
        return len(self.delays_ms) / max(self.events, 1)

    @property
    def hours(self) -> float:
        """Labelled time."""
        return self.microseconds / 3.6e9

    @property
    def false_per_hour(self) -> float:
        """False activations per labelled hour; 0 without time."""
        return self.false_activations / self.hours if self.microseconds else 0.0

    @property
    def delay_ms_median(self) -> float | None:
        """Median from a motion's end to its command; None when nothing was recalled."""
        return float(np.median(self.delays_ms)) if self.delays_ms else None

    def __add__(self, other: StreamScore) -> StreamScore:
        """Both together."""
        return StreamScore(
            self.events + other.events,
            self.false_activations + other.false_activations,
            self.delays_ms + other.delays_ms,
            self.microseconds + other.microseconds,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {
            "event_recall": self.event_recall,
            "false_per_hour": self.false_per_hour,
            "delay_ms_median": self.delay_ms_median,
            "events": self.events,
            "false_activations": self.false_activations,
            "hours": self.hours,
        }


NO_STREAM = StreamScore(0, 0, (), 0)
"""The score of nothing: the start of a sum."""


def score_windows(winners: Sequence[int], truths: Sequence[int], classes: int) -> WindowScore:
    """Count the winners at the windows' ends against the windows' classes."""
    confusion = np.zeros((classes, classes), np.int64)
    np.add.at(confusion, (np.asarray(truths, np.intp), np.asarray(winners, np.intp)), 1)
    return WindowScore(confusion)


def motions(labels: npt.NDArray[np.integer], background: int) -> list[tuple[int, int, int]]:
    """Return each run of one gesture's label as (first sample, one past the last, class)."""
    cuts = np.flatnonzero(np.diff(labels)) + 1
    starts = np.concatenate([[0], cuts])
    ends = np.concatenate([cuts, [len(labels)]])
    runs = zip(starts.tolist(), ends.tolist(), labels[starts].tolist(), strict=True)
    return [(start, end, label) for start, end, label in runs if label not in (background, UNKNOWN)]


def score_stream(
    fired: Sequence[tuple[int, int]],
    labels: npt.NDArray[np.integer],
    t_us: npt.NDArray[np.integer],
    background: int,
) -> StreamScore:
    """Score one stream's commands ``fired``, (stamp in microseconds, class) each, as the module's docstring says."""
    events = motions(labels, background)
    answered: dict[int, float] = {}
    false_activations = 0
    for stamp, command in sorted(fired):
        for index, (start, end, label) in enumerate(events):
            finish = int(t_us[end - 1])
            inside = int(t_us[start]) <= stamp <= finish + AFTER_END_US
            if label == command and inside and index not in answered:
                answered[index] = (stamp - finish) * 1e-3
                break
        else:
            here = max(int(np.searchsorted(t_us, stamp, side="right")) - 1, 0)
            false_activations += int(labels[here] != UNKNOWN)
    known = int(np.diff(t_us)[labels[1:] != UNKNOWN].sum())
    return StreamScore(len(events), false_activations, tuple(answered.values()), known)


def decide(
    y: npt.NDArray[np.integer], t_us: npt.NDArray[np.integer], spec: ModelSpec, decision: DecisionSpec
) -> Decisions:
    """Run the decision over one recording from its start."""
    when = timing(t_us, spec)
    return Decision(decision, y.shape[1]).run(y, t_us, when.delta_us, when.reset)


def decide_recordings(
    recordings: Sequence[Recording], logits: Sequence[npt.NDArray[np.integer]], spec: ModelSpec, decision: DecisionSpec
) -> list[Decisions]:
    """Run the decision over recordings, each from its start."""
    when = [timing(recording.t_us, spec) for recording in recordings]
    stamps = [recording.t_us for recording in recordings]
    return decide_all(logits, stamps, [w.delta_us for w in when], [w.reset for w in when], decision)


def evaluate_windows(
    recordings: Sequence[Recording], logits: Logits, spec: ModelSpec, decision: DecisionSpec
) -> WindowScore:
    """End-of-window score of the recordings of kind ``window``."""
    windows = [recording for recording in recordings if recording.kind == "window"]
    winners = [int(made.winner[-1]) for made in decide_recordings(windows, logits(windows), spec, decision)]
    truths = [recording.label(decision.background) for recording in windows]
    return score_windows(winners, truths, len(spec.classes))


def evaluate_streams(
    recordings: Sequence[Recording], logits: Logits, spec: ModelSpec, decision: DecisionSpec
) -> StreamScore:
    """Event score of the recordings of kind ``stream``, all together."""
    streams = [recording for recording in recordings if recording.kind == "stream"]
    total = NO_STREAM
    made_all = decide_recordings(streams, logits(streams), spec, decision)
    for recording, made in zip(streams, made_all, strict=True):
        at = np.flatnonzero(made.fired)
        fired = list(zip(recording.t_us[at].tolist(), made.winner[at].tolist(), strict=True))
        total += score_stream(fired, recording.labels, recording.t_us, decision.background)
    return total


def float_logits(network: FloatNetwork, spec: ModelSpec, imu: Imu) -> Logits:
    """Return the logits of the float network, in steps of FLOAT_Y_SCALE, for the functions above."""

    def logits(recordings: Sequence[Recording]) -> list[npt.NDArray[np.integer]]:
        result: list[npt.NDArray[np.integer]] = [np.empty(0, np.int32)] * len(recordings)
        # Like lengths together, so that little is padded; dt 0 in front leaves the state at rest.
        order = np.argsort([len(recording.t_us) for recording in recordings], kind="stable")
        for first in range(0, len(order), _TOGETHER):
            chosen = order[first : first + _TOGETHER].tolist()
            longest = len(recordings[chosen[-1]].t_us)
            x = np.zeros((len(chosen), longest, spec.inputs), np.float32)
            dt = np.zeros((len(chosen), longest), np.float32)
            reset = np.zeros((len(chosen), longest), bool)
            for row, index in enumerate(chosen):
                recording = recordings[index]
                when = timing(recording.t_us, spec)
                length = len(recording.t_us)
                x[row, -length:] = network_input(to_codes(recording.samples, imu), when, spec)
                dt[row, -length:] = model_dt(when.delta_us, spec)
                reset[row, -length:] = when.reset
            y, _ = network.run(x, dt, reset)
            for row, index in enumerate(chosen):
                result[index] = np.rint(y[row, -len(recordings[index].t_us) :] / FLOAT_Y_SCALE).astype(np.int32)
        return result

    return logits
