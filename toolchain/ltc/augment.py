"""Variations of a recording that a wearer could have produced: mounting, hand, sensor and speed.

One draw holds for a whole recording: a strap does not turn and a sensor does not change its bias within a gesture.
How much of each: ``[training.augmentation]`` of the project file (toolchain.project.Augmentation).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toolchain.board import RAD_PER_DEGREE, STANDARD_GRAVITY
from toolchain.ltc.weights import Floats
from toolchain.project import Augmentation

FOREARM = np.array([1.0, 0.0, 0.0])
"""Wrist axis x runs along the forearm."""
OUT_OF_WRIST = np.array([0.0, 0.0, 1.0])
OTHER_HAND = np.array([1.0, -1.0, 1.0, -1.0, 1.0, -1.0], np.float32)
"""A reflection across the forearm's own plane turns y of the acceleration round, and x and z of the turning."""
NARROW = np.repeat(np.array([2.0 * STANDARD_GRAVITY, 250.0 * RAD_PER_DEGREE], np.float32), 3)
"""Narrowest ranges that inertial sensors have: +-2 g, +-250 deg/s."""
MOST_DROPPED = 0.5
"""Largest fraction of the samples that is lost."""


@dataclass(frozen=True)
class Varied:
    """Samples (T, 6) in SI units, stamps in microseconds, and for each sample the index it came from.

    ``mirrored``: it is as if worn on the other hand, so that a class may have become another.
    """

    samples: Floats
    t_us: npt.NDArray[np.int64]
    source: npt.NDArray[np.intp]
    mirrored: bool


def vary(
    samples: Floats,
    t_us: npt.NDArray[np.int64],
    random: np.random.Generator,
    how: Augmentation,
    *,
    may_mirror: bool = False,
) -> Varied:
    """Draw one variation of a recording ``samples`` (T, 6), ``t_us`` (T,), wrist axes."""
    speed = float(how.speed ** random.uniform(-1.0, 1.0))
    stretched, stamps, source = stretch(samples, t_us, speed)
    mirrored = bool(random.random() < how.mirrored) and may_mirror
    if mirrored:
        stretched = stretched * OTHER_HAND
    turn = rotation(FOREARM, np.radians(random.normal(0, how.roll_degrees)))
    axis = random.standard_normal(3)
    turn = turn @ rotation(axis / np.linalg.norm(axis), np.radians(random.normal(0, how.tilt_degrees)))
    if random.random() < how.half_turns:
        turn = turn @ rotation(OUT_OF_WRIST, np.pi)
    gain = 1 + how.gain * random.standard_normal(6)
    # A gesture that runs `speed` times as fast turns the hand that much faster.
    gain[3:] *= speed * np.exp(how.amplitude * random.standard_normal())
    bias = random.standard_normal(6) * np.repeat(how.bias, 3)
    noise = random.uniform(size=6) * np.repeat(how.noise, 3)
    both = np.zeros((6, 6))
    both[:3, :3] = both[3:, 3:] = turn.T
    varied = stretched @ (both * gain).astype(np.float32) + bias.astype(np.float32)
    varied += random.standard_normal(varied.shape, np.float32) * noise.astype(np.float32)
    if random.random() < how.clipped:
        varied = np.clip(varied, -NARROW, NARROW)
    if random.random() < how.dropped:
        kept = random.random(len(stamps)) >= random.uniform(0, MOST_DROPPED)
        kept[-1] = True
        varied, stamps, source = varied[kept], stamps[kept], source[kept]
    return Varied(varied, stamps, source, mirrored)


def rotation(axis: npt.NDArray[np.float64], angle: float) -> npt.NDArray[np.float64]:
    """Rotation matrix about a unit ``axis`` by ``angle`` in radians (Rodrigues' formula)."""
    x, y, z = axis
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * (cross @ cross)


def stretch(
    samples: Floats, t_us: npt.NDArray[np.int64], speed: float
) -> tuple[Floats, npt.NDArray[np.int64], npt.NDArray[np.intp]]:
    """Play a recording ``speed`` times as fast, with stamps spaced as before, by linear interpolation.

    Returns samples, stamps and, for each sample, the index of the one before it in the original.
    """
    length = len(samples)
    if length < 2:
        return samples, t_us, np.arange(length)
    # The spacing of the original, jitter included, repeated where a slower performance needs more of it.
    stamps = np.concatenate([[0], np.cumsum(np.resize(np.diff(t_us), int(length / speed) + 1))])
    since = t_us - t_us[0]
    stamps = stamps[stamps * speed <= since[-1]]
    position = np.interp(stamps * speed, since, np.arange(length))
    before = np.minimum(position.astype(np.intp), length - 2)
    part = (position - before).astype(np.float32)[:, None]
    return samples[before] * (1 - part) + samples[before + 1] * part, stamps, before
