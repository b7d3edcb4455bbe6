"""What the network should say at every sample of a recording, and how much it matters there."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from toolchain.ltc.evaluate import motions
from toolchain.ltc.weights import Floats
from toolchain.recordings.recording import UNKNOWN

KNOWN_FROM = 0.6
"""From this fraction of its motion on, a gesture can be told; before, nothing is asked."""
HOLD_US = 250_000
"""The class stays this long after the motion's end: long enough for the smoothed decision."""
RELEASE_US = 400_000
"""Then nothing is asked for this long, while the states forget: where a motion ends is not sharp."""
WINDOW_END_US = 60_000
"""The last samples of a window say its class, however long ago the motion ended."""
MOTION_WEIGHT, ENDED_WEIGHT = 1.0, 3.0
"""Weights of a gesture's late part and of the hold after it: gestures are rarer than background, and surest then."""


def targets(
    labels: npt.NDArray[np.integer], t_us: npt.NDArray[np.int64], background: int, window: bool
) -> tuple[npt.NDArray[np.int32], Floats]:
    """Return class int32 (T,) and weight float32 (T,) of one recording.

    ``labels`` (T,) mark the motions themselves; ``window`` recordings end with their class.
    """
    length = len(labels)
    wanted = np.full(length, background, np.int32)
    weight = (labels != UNKNOWN).astype(np.float32)
    for start, end, label in motions(labels, background):
        known = start + int(KNOWN_FROM * (end - start))
        finish = t_us[end - 1]
        held, released = np.searchsorted(t_us, [finish + HOLD_US, finish + HOLD_US + RELEASE_US], side="right")
        # What comes after stays as it is where the next motion follows at once: it is written later.
        weight[start:known] = 0.0
        wanted[known:held] = label
        weight[known:end] = MOTION_WEIGHT
        weight[end:held] = ENDED_WEIGHT
        wanted[held:] = background
        weight[held:released] = 0.0
        if window:
            last = max(int(np.searchsorted(t_us, t_us[-1] - WINDOW_END_US)), known)
            wanted[last:] = label
            weight[held:last] = 0.0
            weight[last:] = ENDED_WEIGHT
    return wanted, weight
