"""Tune the decision stage on held-out training people's streams; test people are never looked at."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toolchain.ltc.decision import Decision, Smoothed, decision_spec, smooth_all
from toolchain.ltc.evaluate import NO_STREAM, Logits, StreamScore, motions, score_stream
from toolchain.ltc.modelspec import DecisionSpec, ModelSpec
from toolchain.ltc.step import Timing, timing
from toolchain.project import Decision as DecisionProject
from toolchain.recordings.recording import Recording

FACTORS = (0.25, 0.35, 0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0)
"""Thresholds that are tried, as multiples of the project's."""
SMOOTHING = (0.5, 1.0, 2.0)
"""Time constants that are tried, as multiples of the project's."""
CONFIRM_S = (0.0, 0.05, 0.1, 0.2, 0.3)
"""Confirmation times that are tried beside the project's own."""
PAYS = 2
"""A threshold of its own is worth it for a class that then has at least so many errors fewer."""


@dataclass(frozen=True)
class _Tried:
    """One set of parameters: ``cost`` is compared, smaller is better."""

    cost: tuple[float, ...]
    decision: DecisionSpec
    score: StreamScore


class _Streams:
    """Streams with their logits, smoothed once for each time constant."""

    def __init__(self, streams: Sequence[Recording], logits: Logits, spec: ModelSpec) -> None:
        self._streams = streams
        self._y = logits(streams)
        self._when: list[Timing] = [timing(r.t_us, spec) for r in streams]
        self._smoothed: dict[int, list[Smoothed]] = {}

    def score(self, decision: DecisionSpec, most_errors: float = math.inf) -> StreamScore:
        """Score all streams with ``decision``; after more than ``most_errors`` the rest of them is left out."""
        us = decision.smoothing_us
        if us not in self._smoothed:
            deltas = [when.delta_us for when in self._when]
            self._smoothed[us] = smooth_all(self._y, deltas, [when.reset for when in self._when], us)
        total = NO_STREAM
        for r, y, when, smoothed in zip(self._streams, self._y, self._when, self._smoothed[us], strict=True):
            stage = Decision(decision, y.shape[1])
            made = stage.latch(smoothed.winner, smoothed.margin, r.t_us, when.delta_us, when.reset)
            at: npt.NDArray[np.intp] = np.flatnonzero(made.fired)
            fired = list(zip(r.t_us[at].tolist(), made.winner[at].tolist(), strict=True))
            total += score_stream(fired, r.labels, r.t_us, decision.background)
            if _errors(total) > most_errors:
                break
        return total


def _errors(score: StreamScore) -> int:
    """Events missed and false activations."""
    return score.events - len(score.delays_ms) + score.false_activations


def tuned_decision(
    project: DecisionProject,
    background: int,
    y_scale: float,
    spec: ModelSpec,
    logits: Logits,
    held_out: Sequence[Recording],
    trained: Sequence[Recording] = (),
) -> tuple[DecisionSpec, StreamScore | None]:
    """Return the decision that does best on the streams of ``held_out``, and its score there.

    The fewest errors win: events missed and false activations. With ``project.target_false_per_hour`` they win among
    those that keep this rate, on ``held_out`` and on ``trained`` alike: background is scarce, and a rate that training
    people already break will not hold for others; if none keeps it, the lowest rate wins. The rate is that of streams
    without any gesture; where there is none, of all streams: gestures stand so close in their streams that a few
    mistaken ones would make a rate of dozens an hour, and forbid what keeps still for a day.
    ``project.target_delay_s`` comes before both: among those whose median delay is too long the least late wins. Of
    equals, the parameters nearest to the project's. Then each class gets a threshold of its own where that pays.
    Without streams the project's own parameters are kept and the score is None.
    """
    asked = decision_spec(project, background, y_scale)
    streams = [recording for recording in held_out if recording.kind == "stream"]
    if not streams:
        return asked, None
    target = project.target_false_per_hour
    known = _Streams(streams, logits, spec)
    still = _still(streams, background) if target is not None else []
    calm = _Streams(still, logits, spec) if still else known
    more = [recording for recording in trained if recording.kind == "stream"] if target is not None else []
    more = _still(more, background) or more
    extra = _Streams(more, logits, spec) if more else None

    def tried(decision: DecisionSpec, far: float, best: _Tried | None) -> _Tried:
        only_errors = target is None and project.target_delay_s is None
        score = known.score(decision, best.cost[1] if only_errors and best is not None else math.inf)
        late, errors = _late_ms(score, project.target_delay_s), _errors(score)
        if target is None:
            return _Tried((late, errors, far), decision, score)

        def cost(rate: float) -> tuple[float, ...]:
            return late, max(rate - target, 0.0), errors, far

        rate = score.false_per_hour if calm is known else calm.score(decision).false_per_hour
        if extra is not None and (best is None or cost(rate) < best.cost):
            # The many streams of the training people are scored only where that can still change the choice.
            rate = max(rate, extra.score(decision).false_per_hour)
        return _Tried(cost(rate), decision, score)

    best: _Tried | None = None
    for decision, far in sorted(_grid(project, background, y_scale), key=lambda one: one[1]):
        one = tried(decision, far, best)
        best = one if best is None or one.cost < best.cost else best
    assert best is not None
    for which in range(len(spec.classes)):
        if which == background:
            continue
        for factor in FACTORS:
            one = tried(_with_threshold(best.decision, which, factor), abs(math.log(factor)), best)
            if _pays(one, best, target):
                best = one
    return best.decision, best.score


def _grid(project: DecisionProject, background: int, y_scale: float) -> Iterator[tuple[DecisionSpec, float]]:
    """Every set of parameters, and how far it is from the project's."""
    for confirm in sorted({*CONFIRM_S, project.confirm_s}):
        for slower in SMOOTHING:
            for factor in FACTORS:
                changed = project.model_copy(
                    update={
                        "threshold": project.threshold * factor,
                        "smoothing_s": min(project.smoothing_s * slower, 1.0),
                        "confirm_s": confirm,
                    }
                )
                far = abs(math.log(factor)) + abs(math.log(slower)) + abs(confirm - project.confirm_s) * 10
                yield decision_spec(changed, background, y_scale), far


def _late_ms(score: StreamScore, target_s: float | None) -> float:
    """How much later than asked the median command comes; a decision without commands is no answer to lateness."""
    if target_s is None:
        return 0.0
    median = score.delay_ms_median
    return math.inf if median is None else max(median - target_s * 1000, 0.0)


def _with_threshold(decision: DecisionSpec, which: int, factor: float) -> DecisionSpec:
    value = min(round(decision.threshold_of.get(which, decision.threshold) * factor), 2**24 - 1)
    return decision.model_copy(update={"threshold_of": {**decision.threshold_of, which: value}})


def _pays(one: _Tried, best: _Tried, target: float | None) -> bool:
    if one.cost[0] > best.cost[0]:
        return False
    if target is None:
        return one.cost[1] <= best.cost[1] - PAYS
    if one.cost[1] < best.cost[1]:
        return True
    return one.cost[1] == best.cost[1] and one.cost[2] <= best.cost[2] - PAYS


def _still(streams: Sequence[Recording], background: int) -> list[Recording]:
    """Return the streams that hold no gesture at all."""
    return [stream for stream in streams if not motions(stream.labels, background)]
