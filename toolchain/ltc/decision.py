"""The decision stage (docs/SPEC.md, section 3) in integers, exactly as the device computes it.

Every parameter is real time, so that a model decides alike at 50, 100 and 208 Hz and across lost samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toolchain.ltc.modelspec import DecisionSpec
from toolchain.project import Decision as DecisionProject

WARMUP_S = 0.1
"""After a reset nothing fires for this long: the states still hold too little of the signal."""
DELTA_MOST_US = 2**20 - 1
"""A longer interval counts as this one: the weight is a 32-bit quotient."""
TIME_MOST_US = 2**30
"""Times since a reset, or since a candidate came, count no further."""
_STEP = 2048
"""Smoothed logits are kept in 1/2048 of a step of y."""


@dataclass(frozen=True)
class Decisions:
    """What the stage says about T samples: ``winner`` uint8, ``margin`` int32 (logit steps * 256), ``fired`` bool."""

    winner: npt.NDArray[np.uint8]
    margin: npt.NDArray[np.int32]
    fired: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Smoothed:
    """B streams after smoothing, (B, T) each: all of the stage that does not depend on thresholds and times."""

    winner: npt.NDArray[np.uint8]
    margin: npt.NDArray[np.int32]


def decision_spec(decision: DecisionProject, background: int, y_scale: float) -> DecisionSpec:
    """Turn logits and seconds into integers: ``y_scale`` is the logits' worth of one step of y."""
    return DecisionSpec(
        background=background,
        smoothing_us=round(decision.smoothing_s * 1e6),
        confirm_us=round(decision.confirm_s * 1e6),
        holdoff_us=round(decision.holdoff_s * 1e6),
        warmup_us=round(WARMUP_S * 1e6),
        threshold=min(round(decision.threshold / y_scale * 256), 2**24 - 1),
    )


def in_float_steps(decision: DecisionSpec, y_scale: float, float_scale: float) -> DecisionSpec:
    """Return an int8 network's decision for float logits: thresholds in steps of ``float_scale``, all else the same."""
    ratio = y_scale / float_scale
    return decision.model_copy(
        update={
            "threshold": min(round(decision.threshold * ratio), 2**24 - 1),
            "threshold_of": {c: min(round(own * ratio), 2**24 - 1) for c, own in decision.threshold_of.items()},
        }
    )


def smooth(
    y: npt.NDArray[np.integer],
    delta_us: npt.NDArray[np.integer],
    reset: npt.NDArray[np.bool_],
    smoothing_us: int,
    state: npt.NDArray[np.int64] | None = None,
) -> Smoothed:
    """Smooth the logits ``y`` (B, T, outputs) of B streams; ``delta_us`` (B, T) and ``reset`` (B, T) as in the step.

    ``state`` int64 (B, outputs), zeros at first, goes on from call to call and is changed in place.
    """
    streams, length, outputs = y.shape
    smoothed = np.zeros((streams, outputs), np.int64) if state is None else state
    delta = np.minimum(delta_us.astype(np.int64), DELTA_MOST_US)
    weight = ((delta << 12) // (smoothing_us + delta))[:, :, None]
    target = y.astype(np.int64) * _STEP
    kept = np.empty((length, streams, outputs), np.int64)
    any_reset = np.asarray(reset.any(axis=0))
    for t in range(length):
        if any_reset[t]:
            smoothed[reset[:, t]] = 0
        smoothed += ((target[:, t] - smoothed) * weight[:, t]) >> 12
        kept[t] = smoothed
    winner = kept.argmax(axis=2)
    highest = np.take_along_axis(kept, winner[:, :, None], 2)
    np.put_along_axis(kept, winner[:, :, None], np.iinfo(np.int64).min, 2)
    margin = (highest[:, :, 0] - kept.max(axis=2)) >> 3
    return Smoothed(winner.T.astype(np.uint8), margin.T.astype(np.int32))


class Decision:
    """The stage with its state, for one stream."""

    def __init__(self, spec: DecisionSpec, outputs: int) -> None:
        if outputs < 2:
            raise ValueError("a decision needs at least two outputs")
        self.spec = spec
        self.outputs = outputs
        self._thresholds = np.array(spec.thresholds(outputs), np.int64)
        self._last_us = 0
        self._fired_once = False
        self.reset()

    def reset(self) -> None:
        """Forget the signal; the hold-off stays, because it is real time."""
        self._smoothed = np.zeros((1, self.outputs), np.int64)
        self._latched = self.spec.background
        self._seen_us = 0
        self._candidate = -1
        self._held_us = 0

    def run(
        self,
        y: npt.NDArray[np.integer],
        t_us: npt.NDArray[np.integer],
        delta_us: npt.NDArray[np.integer],
        reset: npt.NDArray[np.bool_] | None = None,
    ) -> Decisions:
        """Take T samples: logits ``y`` (T, outputs) in integers, stamps and intervals (T,); ``reset`` (T,) acts first.

        The state goes on from call to call.
        """
        restart = np.zeros(len(y), bool) if reset is None else reset
        made = smooth(y[None], delta_us[None], restart[None], self.spec.smoothing_us, self._smoothed)
        return self.latch(made.winner[0], made.margin[0], t_us, delta_us, restart)

    def step(self, y: npt.NDArray[np.integer], t_us: int, delta_us: int) -> tuple[int, int, bool]:
        """One sample: returns winner, margin and fired."""
        one = self.run(y[None], np.array([t_us], np.uint64), np.array([delta_us], np.uint32))
        return int(one.winner[0]), int(one.margin[0]), bool(one.fired[0])

    def latch(
        self,
        winner: npt.NDArray[np.uint8],
        margin: npt.NDArray[np.int32],
        t_us: npt.NDArray[np.integer],
        delta_us: npt.NDArray[np.integer],
        restart: npt.NDArray[np.bool_],
    ) -> Decisions:
        """The rest of the stage, from smoothed winners and margins (T,) to commands."""
        spec = self.spec
        sure = (winner != spec.background) & (margin >= self._thresholds[winner])
        fired = np.zeros(len(winner), bool)
        if not len(winner):
            return Decisions(winner, margin, fired)
        seen = self._seen(delta_us, restart)
        total = np.cumsum(np.asarray(delta_us).astype(np.int64))
        stamps = np.asarray(t_us).astype(np.uint64)
        back = np.flatnonzero(restart | (winner == spec.background))
        place = 0
        # Runs of one sure class: within one nothing but time passes, so its first sample that may fire is looked up.
        starts = np.flatnonzero(
            sure & np.concatenate([[True], ~sure[:-1] | restart[1:] | np.diff(winner).astype(bool)])
        )
        ends = (
            np.flatnonzero(sure & np.concatenate([~sure[1:] | restart[1:] | np.diff(winner).astype(bool), [True]])) + 1
        )
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            while place < len(back) and back[place] <= start:
                self._latched = spec.background
                place += 1
            which = int(winner[start])
            goes_on = start == 0 and not restart[0] and which == self._candidate
            before = self._held_us + int(total[0]) if goes_on else 0
            held = np.minimum(total[start:end] - total[start] + before, TIME_MOST_US)
            self._candidate, self._held_us = which, int(held[-1])
            if which == self._latched:
                continue
            may = (held >= spec.confirm_us) & (seen[start:end] > spec.warmup_us)
            if self._fired_once:
                # Stamps are uint64: a stamp before the last command counts as long after it.
                may &= stamps[start:end] - np.uint64(self._last_us) >= np.uint64(spec.holdoff_us)
            if may.any():
                row = start + int(may.argmax())
                self._latched, self._last_us, self._fired_once = which, int(stamps[row]), True
                fired[row] = True
        if place < len(back):
            self._latched = spec.background
        if not sure[-1]:
            self._candidate = -1
        return Decisions(winner, margin, fired)

    def _seen(self, delta_us: npt.NDArray[np.integer], restart: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        """Time since the last reset after each sample, the sample's own interval included."""
        if not len(delta_us):
            return np.zeros(0, np.int64)
        total = np.cumsum(np.asarray(delta_us).astype(np.int64))
        at = np.where(restart, np.arange(len(total)), -1)
        last = np.maximum.accumulate(at)
        start = np.where(last > 0, total[np.maximum(last - 1, 0)], 0)
        seen = np.minimum(total - start + np.where(last < 0, self._seen_us, 0), TIME_MOST_US)
        self._seen_us = int(seen[-1])
        return np.asarray(seen, np.int64)


def decide_all(
    logits: Sequence[npt.NDArray[np.integer]],
    stamps: Sequence[npt.NDArray[np.integer]],
    deltas: Sequence[npt.NDArray[np.integer]],
    resets: Sequence[npt.NDArray[np.bool_]],
    spec: DecisionSpec,
) -> list[Decisions]:
    """Decide many recordings, each from its start: the same as :class:`Decision` for each, many times faster."""
    made = smooth_all(logits, deltas, resets, spec.smoothing_us)
    return [
        Decision(spec, y.shape[1]).latch(one.winner, one.margin, t_us, delta, reset)
        for y, one, t_us, delta, reset in zip(logits, made, stamps, deltas, resets, strict=True)
    ]


def smooth_all(
    logits: Sequence[npt.NDArray[np.integer]],
    deltas: Sequence[npt.NDArray[np.integer]],
    resets: Sequence[npt.NDArray[np.bool_]],
    smoothing_us: int,
    together: int = 256,
) -> list[Smoothed]:
    """Smooth recordings of any length, ``together`` of like length at once; one entry of (T,) arrays for each."""
    result: list[Smoothed | None] = [None] * len(logits)
    order = np.argsort([len(y) for y in logits], kind="stable").tolist()
    for first in range(0, len(order), together):
        chosen = order[first : first + together]
        longest = len(logits[chosen[-1]])
        y = np.zeros((len(chosen), longest, logits[chosen[0]].shape[1]), np.int32)
        delta = np.zeros((len(chosen), longest), np.int64)
        reset = np.zeros((len(chosen), longest), bool)
        for row, index in enumerate(chosen):
            length = len(logits[index])
            y[row, :length], delta[row, :length] = logits[index], deltas[index]
            reset[row, :length] = resets[index]
        delta[delta == 0] = 1  # the padding behind the end is never looked at, but must not divide by zero
        made = smooth(y, delta, reset, smoothing_us)
        for row, index in enumerate(chosen):
            length = len(logits[index])
            result[index] = Smoothed(made.winner[row, :length], made.margin[row, :length])
    return [one for one in result if one is not None]
