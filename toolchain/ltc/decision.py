"""The decision stage (docs/SPEC.md, section 3) in integers, exactly as the device computes it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toolchain.ltc.modelspec import DecisionSpec
from toolchain.project import Decision as DecisionProject

WARMUP_S = 0.1
"""After a reset nothing fires for this long: the states still hold too little of the signal."""
_SEEN_MAX = 65535


@dataclass(frozen=True)
class Decisions:
    """What the stage says about T samples: ``winner`` uint8, ``margin`` int32 (logit steps * 256), ``fired`` bool."""

    winner: npt.NDArray[np.uint8]
    margin: npt.NDArray[np.int32]
    fired: npt.NDArray[np.bool_]


def decision_spec(decision: DecisionProject, background: int, y_scale: float, rate_hz: float) -> DecisionSpec:
    """Turn logits and seconds into integers: ``y_scale`` is the logits' worth of one step of y."""
    return DecisionSpec(
        background=background,
        smoothing_shift=decision.smoothing_shift,
        threshold=min(round(decision.threshold / y_scale * 256), 2**24 - 1),
        holdoff_us=round(decision.holdoff_s * 1e6),
        warmup_samples=round(WARMUP_S * rate_hz),
    )


class Decision:
    """The stage with its state, for one stream."""

    def __init__(self, spec: DecisionSpec, outputs: int) -> None:
        if outputs < 2:
            raise ValueError("a decision needs at least two outputs")
        self.spec = spec
        self.outputs = outputs
        self._last_us = 0
        self._fired_once = False
        self.reset()

    def reset(self) -> None:
        """Forget the signal; the hold-off stays, because it is real time."""
        self._smoothed = [0] * self.outputs
        self._latched = self.spec.background
        self._seen = 0

    def run(
        self,
        y: npt.NDArray[np.integer],
        t_us: npt.NDArray[np.integer],
        reset: npt.NDArray[np.bool_] | None = None,
    ) -> Decisions:
        """Take T samples: logits ``y`` (T, outputs) in integers, stamps (T,); ``reset`` (T,) acts before its sample.

        The state goes on from call to call.
        """
        restart = np.zeros(len(y), bool) if reset is None else reset
        # Only the recursions need a loop over samples, and plain integers are the fastest there.
        smoothed, seen = self._smooth(y, restart)
        order = np.argmax(smoothed, axis=1)
        rows = np.arange(len(y))
        best = smoothed[rows, order]
        others = smoothed.copy()
        others[rows, order] = np.iinfo(np.int64).min
        margin = (best - others.max(axis=1)) >> 8
        may_fire = (order != self.spec.background) & (margin >= self.spec.threshold)
        may_fire &= seen > self.spec.warmup_samples
        fired = self._latch(order, may_fire, np.asarray(t_us), restart)
        return Decisions(order.astype(np.uint8), margin.astype(np.int32), fired)

    def step(self, y: npt.NDArray[np.integer], t_us: int) -> tuple[int, int, bool]:
        """One sample: returns winner, margin and fired."""
        one = self.run(y[None], np.array([t_us], np.uint64))
        return int(one.winner[0]), int(one.margin[0]), bool(one.fired[0])

    def _smooth(
        self, y: npt.NDArray[np.integer], restart: npt.NDArray[np.bool_]
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        shift = self.spec.smoothing_shift
        rows = []
        seen = []
        for values, starts in zip((y.astype(np.int64) * 65536).tolist(), restart.tolist(), strict=True):
            if starts:
                self._smoothed = [0] * self.outputs
                self._seen = 0
            self._smoothed = [s + ((v - s) >> shift) for s, v in zip(self._smoothed, values, strict=True)]
            self._seen = min(self._seen + 1, _SEEN_MAX)
            rows.append(self._smoothed)
            seen.append(self._seen)
        return np.array(rows, np.int64).reshape(-1, self.outputs), np.array(seen, np.int64)

    def _latch(
        self,
        winners: npt.NDArray[np.int64],
        may_fire: npt.NDArray[np.bool_],
        t_us: npt.NDArray[np.integer],
        restart: npt.NDArray[np.bool_],
    ) -> npt.NDArray[np.bool_]:
        spec = self.spec
        fired = np.zeros(len(winners), bool)
        samples = zip(winners.tolist(), may_fire.tolist(), t_us.tolist(), restart.tolist(), strict=True)
        for i, (winner, may, stamp, starts) in enumerate(samples):
            if starts or winner == spec.background:
                self._latched = spec.background
            if not may or winner == self._latched:
                continue
            # Stamps are uint64: a stamp before the last command counts as long after it.
            if not self._fired_once or (stamp - self._last_us) % 2**64 >= spec.holdoff_us:
                self._latched, self._last_us, self._fired_once = winner, stamp, True
                fired[i] = True
        return fired
