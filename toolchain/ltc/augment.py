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
    """One variation: its stamps in microseconds, and for each sample the index it came from.

    ``mirrored``: it is as if worn on the other hand, so that a class may have become another. The samples themselves
    are made where they are asked for, :meth:`at`: training reads one in four.
    """

    t_us: npt.NDArray[np.int64]
    source: npt.NDArray[np.intp]
    mirrored: bool
    _samples: Floats
    _part: Floats
    _mix: Floats
    _bias: Floats
    _noise: Floats
    _clipped: bool
    _random: np.random.Generator

    def at(self, rows: npt.NDArray[np.intp]) -> Floats:
        """Return the samples ``rows`` (n,) as float32 (n, 6) in SI units; their noise is drawn anew by every call."""
        before, part = self.source[rows], self._part[rows, None]
        values = self._samples[before]
        if part.any():
            values = values * (1 - part) + self._samples[np.minimum(before + 1, len(self._samples) - 1)] * part
        values = values @ self._mix + self._bias
        values += self._random.standard_normal(values.shape, np.float32) * self._noise
        return np.clip(values, -NARROW, NARROW) if self._clipped else values


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
    stamps, source, part = stretch(t_us, speed)
    mirrored = bool(random.random() < how.mirrored) and may_mirror
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
    mix = np.zeros((6, 6))
    mix[:3, :3] = mix[3:, 3:] = turn.T
    mix *= gain
    if mirrored:
        mix = OTHER_HAND[:, None] * mix
    clipped = bool(random.random() < how.clipped)
    if random.random() < how.dropped:
        kept = random.random(len(stamps)) >= random.uniform(0, MOST_DROPPED)
        kept[-1] = True
        stamps, source, part = stamps[kept], source[kept], part[kept]
    mix32, bias32, noise32 = (array.astype(np.float32) for array in (mix, bias, noise))
    return Varied(stamps, source, mirrored, samples, part, mix32, bias32, noise32, clipped, random)


def rotation(axis: npt.NDArray[np.float64], angle: float) -> npt.NDArray[np.float64]:
    """Rotation matrix about a unit ``axis`` by ``angle`` in radians (Rodrigues' formula)."""
    x, y, z = axis
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * (cross @ cross)


def stretch(t_us: npt.NDArray[np.int64], speed: float) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.intp], Floats]:
    """Play a recording with the stamps ``t_us`` (T,) ``speed`` times as fast, with stamps spaced as before.

    Returns stamps and, for each sample, the index of the one before it in the original and the part of the way from
    that to the next, in [0, 1]: for linear interpolation.
    """
    length = len(t_us)
    if length < 2:
        return t_us, np.arange(length), np.zeros(length, np.float32)
    # The spacing of the original, jitter included, repeated where a slower performance needs more of it.
    stamps = np.concatenate([[0], np.cumsum(np.resize(np.diff(t_us), int(length / speed) + 1))])
    since = t_us - t_us[0]
    stamps = stamps[stamps * speed <= since[-1]]
    position = np.interp(stamps * speed, since, np.arange(length))
    before = np.minimum(position.astype(np.intp), length - 2)
    return stamps, before, (position - before).astype(np.float32)
