"""From IMU codes to the integers that the network's inputs are scaled from (docs/SPEC.md, 2.2), bit for bit.

``raw`` hands the codes on. ``difference`` adds their rate of change, in codes per 2**14 us: the difference to the
sample before over the true time between them, so that jitter, lost samples and another rate do not change its size.
``high_pass`` takes away a mean that follows each channel with a time constant of 2**20 us: gravity and bias.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

Preparation = Literal["raw", "high_pass", "difference"]

CHANNELS = 6
RATE_US = 1 << 14
"""A rate of change is in codes per so many microseconds."""
RATIO_BITS = 10
"""RATE_US over the true time is a fixed-point number with so many fractional bits."""
RATIO_MAX = 1 << 14
"""Samples closer than 1,024 us count as that far apart: a difference of 17 bits times this fits an int32."""
MEAN_BITS = 8
"""Fractional bits of the running mean."""
MEAN_SHIFT = 20
"""The mean's time constant is 2**MEAN_SHIFT microseconds."""
LIMIT = 32767
_INPUTS = {"raw": CHANNELS, "high_pass": CHANNELS, "difference": 2 * CHANNELS}

Features = npt.NDArray[np.int32]


def inputs_of(preparation: Preparation) -> int:
    """Return how many inputs the network has."""
    return _INPUTS[preparation]


def features(
    codes: npt.NDArray[np.integer],
    delta_us: npt.NDArray[np.integer],
    reset: npt.NDArray[np.bool_],
    preparation: Preparation,
) -> Features:
    """Return int32 (..., T, inputs), each within +-32768, for codes (..., T, 6) with their timing (..., T).

    ``delta_us`` and ``reset`` as :func:`toolchain.ltc.step.timing` gives them; every stream starts from a reset.
    """
    wide = codes.astype(np.int32)
    if preparation == "raw" or not wide.shape[-2]:
        return wide if preparation != "difference" else np.concatenate([wide, wide], axis=-1)
    if preparation == "difference":
        return np.concatenate([wide, _rates(wide, delta_us, reset)], axis=-1)
    return _high_passed(wide, delta_us, reset)


def _rates(codes: Features, delta_us: npt.NDArray[np.integer], reset: npt.NDArray[np.bool_]) -> Features:
    ratio = np.minimum((RATE_US << RATIO_BITS) // delta_us.astype(np.int64), RATIO_MAX).astype(np.int32)
    difference = np.zeros_like(codes)
    difference[..., 1:, :] = np.diff(codes, axis=-2)
    difference[reset] = 0
    rate = (difference * ratio[..., None] + (1 << (RATIO_BITS - 1))) >> RATIO_BITS
    return np.clip(rate, -LIMIT, LIMIT)


def _high_passed(codes: Features, delta_us: npt.NDArray[np.integer], reset: npt.NDArray[np.bool_]) -> Features:
    scaled = codes.astype(np.int64) << MEAN_BITS
    delta = np.minimum(delta_us.astype(np.int64), (1 << MEAN_SHIFT) - 1)[..., None]
    mean = scaled[..., 0, :]
    result = np.empty_like(codes)
    for t in range(codes.shape[-2]):
        mean = np.where(reset[..., t, None], scaled[..., t, :], mean)
        moved = codes[..., t, :] - ((mean + (1 << (MEAN_BITS - 1))) >> MEAN_BITS)
        result[..., t, :] = np.clip(moved, -LIMIT, LIMIT)
        mean = mean + (((scaled[..., t, :] - mean) * delta[..., t, :]) >> MEAN_SHIFT)
    return result
