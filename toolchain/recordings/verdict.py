"""A verdict on every recording: may it be trained on, and if not, why not, in words and numbers."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter

from toolchain.board import STANDARD_GRAVITY, Imu
from toolchain.recordings.codes import clipped, codes_beyond
from toolchain.recordings.losses import Loss, timing

Level = Literal["good", "suspect", "bad"]
"""``bad`` is kept out of training; ``suspect`` is trained on, and something about it is worth knowing."""
CHANNELS = ("ax", "ay", "az", "gx", "gy", "gz")

NO_MOTION = "no motion answers the prompt"
"""A fault of the labelling: it is gone when somebody labels the recording by hand."""

MAX_LOST = 0.01
"""A larger fraction of lost samples is bad. The step integrates over true time, so a few do no harm."""
MAX_HOLE_S = 0.05
"""A longer hole is bad: half a tap fits into it."""
MAX_CLIPPED = 0.02
MAX_JITTER = 0.05
"""A larger root mean square jitter, as a fraction of the period, is suspect."""
MAX_RATE_OFF = 0.1
"""A rate this fraction away from the nominal one is suspect: sensors of this kind promise some percent."""
STUCK_S = 2.0
"""As on the device (docs/SPEC.md, 5): a channel that gives one value for so long is stuck."""
GRAVITY_SUSPECT = (0.9, 1.1)
GRAVITY_BAD = (0.5, 1.6)
"""Median size of the acceleration, in g. Zero-g offsets and scale errors make some percent."""


@dataclass(frozen=True)
class Verdict:
    """What was found in one recording. ``reasons``: sentences, the worst first; empty for a good one. ``faults``: how
    many of them make it bad.

    ``rate_hz`` by the device's clock; ``jitter_us`` root mean square and largest; ``clipped`` samples of each channel;
    ``stuck`` (channel, seconds); ``gravity_g`` median size of the acceleration in g.
    """

    level: Level
    reasons: tuple[str, ...]
    samples: int
    seconds: float
    rate_hz: float
    jitter_us: tuple[float, float]
    lost: int
    losses: tuple[Loss, ...]
    clipped: tuple[int, ...]
    stuck: tuple[tuple[str, float], ...]
    gravity_g: float
    faults: int = 0

    @property
    def bad(self) -> bool:
        """Whether it is kept out of training."""
        return self.level == "bad"

    def to_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return asdict(self)


_VERDICT = TypeAdapter(Verdict)


def verdict_of(text: str) -> Verdict:
    """Make a verdict of the JSON of :meth:`Verdict.to_dict`; raises ValueError for anything else."""
    return _VERDICT.validate_json(text)


def _longest_runs(values: npt.NDArray[Any], t_us: npt.NDArray[np.int64]) -> list[float]:
    """Seconds of the longest run of one value, of each column."""
    longest = []
    for column in values.T:
        cuts = np.concatenate([[0], np.flatnonzero(np.diff(column)) + 1, [len(column)]])
        longest.append(max(float(t_us[b - 1] - t_us[a]) * 1e-6 for a, b in itertools.pairwise(cuts)))
    return longest


def judge(
    samples: npt.NDArray[np.float32],
    t_us: npt.NDArray[np.int64],
    *,
    codes: npt.NDArray[np.int16] | None = None,
    index: npt.NDArray[np.int64] | None = None,
    around: tuple[int | None, int | None] = (None, None),
    imu: Imu | None = None,
    gravity: bool = True,
    faults: Sequence[str] = (),
) -> Verdict:
    """Judge samples (T, 6) in m/s^2 and rad/s with stamps (T,).

    ``codes`` (T, 6) and ``index`` (T,) as the device sent them make it sharper, ``around`` the indices of the
    samples just before and after (toolchain.recordings.losses); ``imu`` tells range and nominal rate;
    ``gravity`` False: the set's makers removed it. ``faults``: what is wrong besides, each makes it bad.
    """
    seconds = float(t_us[-1] - t_us[0]) * 1e-6
    times = timing(t_us, index, around)
    bad, suspect = list(faults), list[str]()

    if times.lost:
        longest = max(times.losses, key=lambda loss: loss.count)
        hole_s = longest.count / max(times.rate_hz, 1e-9)
        worse = times.lost > MAX_LOST * len(t_us) or hole_s > MAX_HOLE_S
        places = ", ".join(f"{loss.count} at {loss.seconds:.2f} s" for loss in times.losses[:3])
        more = f" and {len(times.losses) - 3} more places" if len(times.losses) > 3 else ""
        (bad if worse else suspect).append(f"{times.lost} samples lost ({places}{more})")
    if not times.regular and len(t_us) >= 3:
        suspect.append("irregular stamps: what was lost cannot be told")
    elif times.rate_hz and times.jitter_us[0] > MAX_JITTER * 1e6 / times.rate_hz:
        suspect.append(f"jitter of {times.jitter_us[0]:.0f} us")
    if imu is not None and times.rate_hz and abs(times.rate_hz / imu.rate_hz - 1) > MAX_RATE_OFF and codes is not None:
        suspect.append(f"a rate of {times.rate_hz:.1f} Hz where {imu.rate_hz:g} Hz were set")

    cut = np.zeros(6, np.int64)
    if codes is not None and imu is not None:
        cut = codes_beyond(codes, imu)
    elif imu is not None:
        cut = clipped(samples, imu)
    for name, count in zip(CHANNELS, cut.tolist(), strict=True):
        if count:
            (bad if count > MAX_CLIPPED * len(t_us) else suspect).append(f"{name} clipped in {count} samples")

    runs = _longest_runs(codes if codes is not None else samples, t_us)
    enough = min(STUCK_S, 0.9 * seconds) if seconds >= 0.5 else np.inf
    stuck = tuple((name, run) for name, run in zip(CHANNELS, runs, strict=True) if run >= enough)
    bad += [f"{name} stuck for {run:.1f} s" for name, run in stuck]

    size = float(np.median(np.linalg.norm(samples[:, :3].astype(np.float64), axis=1))) / STANDARD_GRAVITY
    if gravity and not GRAVITY_BAD[0] <= size <= GRAVITY_BAD[1]:
        bad.append(f"gravity is implausible: {size:.2f} g in the median")
    elif gravity and not GRAVITY_SUSPECT[0] <= size <= GRAVITY_SUSPECT[1]:
        suspect.append(f"gravity of {size:.2f} g in the median")

    level: Level = "bad" if bad else "suspect" if suspect else "good"
    return Verdict(
        level,
        (*bad, *suspect),
        len(t_us),
        seconds,
        times.rate_hz,
        times.jitter_us,
        times.lost,
        times.losses,
        tuple(cut.tolist()),
        stuck,
        size,
        len(bad),
    )


def labelled(verdict: Verdict) -> Verdict:
    """Return the verdict after somebody labelled the recording: that no motion was found no longer counts."""
    if NO_MOTION not in verdict.reasons[: verdict.faults]:
        return verdict
    reasons = tuple(reason for reason in verdict.reasons if reason != NO_MOTION)
    faults = verdict.faults - 1
    return replace(verdict, level="bad" if faults else "suspect" if reasons else "good", reasons=reasons, faults=faults)
