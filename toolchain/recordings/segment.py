"""Find the motion of a prompted gesture in a recording, by its energy, whatever the person, gesture and noise."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

GYRO_UNIT, ACC_UNIT = 1.0, 3.0
"""rad/s and m/s^2 that count alike."""
_SMOOTH_S = 0.05
_START, _END = 0.12, 0.05
"""Fractions of the peak: a motion is what rises above the first, and reaches out to where it sinks below the second."""
_FLOOR_START, _FLOOR_END = 5.0, 2.5
"""Never below so many times the energy at rest."""
_LEAST = 0.12
"""Energy that no gesture stays below, in the units above."""
_PAUSE_S = 0.15
_EARLY_S = 0.05
"""A person may be a little ahead of the prompt."""


def energy(t_us: npt.NDArray[np.int64], samples: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Return the energy of movement (T,) of samples (T, 6): root mean square over 50 ms of turning and of quick force.

    The gyroscope's offset is its median. Of the accelerometer its size counts, less the median: gravity that turns
    does not change it, and a filter that took gravity out would smear the motion's borders.
    """
    period_s = max(float(np.median(np.diff(t_us))) * 1e-6, 1e-6)
    gyro = samples[:, 3:].astype(np.float64)
    gyro = gyro - np.median(gyro, axis=0)
    force = np.linalg.norm(samples[:, :3].astype(np.float64), axis=1)
    power = (gyro**2).sum(axis=1) / GYRO_UNIT**2 + (force - np.median(force)) ** 2 / ACC_UNIT**2
    return np.asarray(np.sqrt(_mean(power, max(1, round(_SMOOTH_S / period_s)))))


def _mean(values: npt.NDArray[np.float64], width: int) -> npt.NDArray[np.float64]:
    width = min(width, len(values))
    padded = np.pad(values, (width // 2, width - 1 - width // 2), mode="edge")
    total = np.concatenate([[0.0], np.cumsum(padded)])
    # The running sum rounds; a mean is never below the least.
    return np.asarray(np.maximum((total[width:] - total[:-width]) / width, values.min()))


def find_gesture(t_us: npt.NDArray[np.int64], samples: npt.NDArray[np.floating], go_us: int) -> tuple[int, int] | None:
    """Return first sample and one past the last of the motion that answers the prompt at ``go_us``, or None.

    The threshold adapts to the rest of this recording and to its own peak. Of several motions after the prompt the
    one with the most energy is the gesture; pauses up to 0.15 s belong to it.
    """
    if len(t_us) < 8:
        return None
    moving = energy(t_us, samples)
    after = t_us >= go_us - round(_EARLY_S * 1e6)
    if after.sum() < 4:
        return None
    floor = float(np.percentile(moving, 15))
    peak = float(moving[after].max())
    start = max(_START * peak, min(_FLOOR_START * floor, 0.5 * peak), _LEAST)
    if peak < start or peak < 3.0 * floor:
        return None
    at = np.flatnonzero((moving >= start) & after)
    cuts = np.flatnonzero(np.diff(t_us[at]) > _PAUSE_S * 1e6) + 1
    parts = np.split(at, cuts)
    best = parts[int(np.argmax([float((moving[part] ** 2).sum()) for part in parts]))]
    low = min(max(_END * peak, min(_FLOOR_END * floor, 0.3 * peak)), start)
    first, last = int(best[0]), int(best[-1])
    while first > 0 and after[first - 1] and moving[first - 1] >= low and moving[first - 1] <= moving[first]:
        first -= 1
    while last + 1 < len(moving) and moving[last + 1] >= low and moving[last + 1] <= moving[last]:
        last += 1
    return first, last + 1
