"""Join recordings of one person end to end into a stream, with rest cross-faded in between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from toolchain.recordings.motion import minimum_jerk
from toolchain.recordings.recording import Recording

GAP_S = 0.8
"""Length of the rest between two recordings."""
_CALM_S = 0.1
"""What still moves when a recording ends dies away with this time constant."""


def _rest_before(recording: Recording, count: int, background: int) -> npt.NDArray[np.float64]:
    """Continue the rest that ``recording`` starts with ``count`` samples into its past, by mirroring it."""
    moving = np.flatnonzero(recording.labels != background)
    rest = recording.samples[: moving[0] if len(moving) else len(recording.samples)].astype(np.float64)
    if len(rest) < 2:
        return np.repeat(recording.samples[:1].astype(np.float64), count, axis=0)
    past: npt.NDArray[np.float64] = np.pad(rest, ((count, 0), (0, 0)), mode="reflect")[:count]
    return past


def _gap(before: Recording, after: Recording, period_us: int, background: int) -> npt.NDArray[np.float64]:
    """Cross-fade (n, 6) from the end of one recording to the rest before the next, every ``period_us``.

    The accelerometer's direction and magnitude are blended apart, so that gravity keeps its size on the way.
    """
    count = round(GAP_S * 1e6 / period_us)
    last = before.samples[-5:].mean(axis=0, dtype=np.float64)
    rest = _rest_before(after, count, background)
    at = np.arange(1, count + 1) / (count + 1)
    blend = minimum_jerk(at)[:, None]
    mixed: npt.NDArray[np.float64] = (1 - blend) * last + blend * rest
    size = (1 - blend[:, 0]) * np.linalg.norm(last[:3]) + blend[:, 0] * np.linalg.norm(rest[:, :3], axis=1)
    mixed[:, :3] *= (size / np.maximum(np.linalg.norm(mixed[:, :3], axis=1), 1e-3))[:, None]
    mixed[:, 3:] = last[3:] * np.exp(-at * GAP_S / _CALM_S)[:, None] + blend * rest[:, 3:]
    return mixed


def join(recordings: Sequence[Recording], background: int) -> Recording:
    """Join recordings of one person into one of kind ``stream``; stamps go on, native and irregular as they are.

    The rest in between is labelled ``background`` (an index) and sampled at the median period of its neighbours. It
    is made up: its gyroscope is at rest while gravity turns from one posture to the next.
    """
    samples, stamps, labels = [], [], []
    now = 0
    for index, recording in enumerate(recordings):
        period_us = max(1, round(float(np.mean(np.diff(recording.t_us)))))
        if index:
            gap = _gap(recordings[index - 1], recording, period_us, background)
            samples.append(gap.astype(np.float32))
            stamps.append(now + period_us * np.arange(len(gap), dtype=np.int64))
            labels.append(np.full(len(gap), background, np.int16))
            now += period_us * len(gap)
        samples.append(recording.samples)
        stamps.append(now + recording.t_us - recording.t_us[0])
        labels.append(recording.labels)
        now = int(stamps[-1][-1]) + period_us
    return replace(
        recordings[0],
        samples=np.concatenate(samples),
        t_us=np.concatenate(stamps),
        labels=np.concatenate(labels),
        session="joined",
        kind="stream",
    )
