"""What the network should say at every sample of a recording, and how much it matters there."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from toolchain.ltc.evaluate import motions
from toolchain.ltc.weights import Floats
from toolchain.project import Training
from toolchain.recordings.recording import UNKNOWN

WINDOW_END_US = 60_000
"""The last samples of a window say its class, however long ago the motion ended."""


def targets(
    labels: npt.NDArray[np.integer], t_us: npt.NDArray[np.int64], background: int, window: bool, settings: Training
) -> tuple[npt.NDArray[np.int32], Floats]:
    """Return class int32 (T,) and weight float32 (T,) of one recording.

    ``labels`` (T,) mark the motions themselves; ``window`` recordings end with their class. Of a gesture nothing is
    asked before the fraction ``known_from`` of its motion; the rest of it weighs ``motion_weight``, the hold after it
    ``ended_weight``: gestures are rarer than background, and surest then. After the hold nothing is asked for
    ``release_s``: where a motion ends is not sharp. Gestures that follow each other faster than hold and release leave
    a network without a reason to say ``background`` between them, and the decision's latch then keeps silent.
    """
    length = len(labels)
    hold_us, release_us = round(settings.hold_s * 1e6), round(settings.release_s * 1e6)
    wanted = np.full(length, background, np.int32)
    weight = np.where(labels != UNKNOWN, settings.background_weight, 0.0).astype(np.float32)
    for start, end, label in motions(labels, background):
        known = start + int(settings.known_from * (end - start))
        finish = t_us[end - 1]
        held, released = np.searchsorted(t_us, [finish + hold_us, finish + hold_us + release_us], side="right")
        # What comes after stays as it is where the next motion follows at once: it is written later.
        weight[start:known] = 0.0
        wanted[known:held] = label
        weight[known:end] = settings.motion_weight
        weight[end:held] = settings.ended_weight
        wanted[held:] = background
        weight[held:released] = 0.0
        if window:
            last = max(int(np.searchsorted(t_us, t_us[-1] - WINDOW_END_US)), known)
            wanted[last:] = label
            weight[held:last] = 0.0
            weight[last:] = settings.ended_weight
    return wanted, weight
