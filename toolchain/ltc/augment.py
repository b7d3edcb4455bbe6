"""Variations of a recording that a wearer could have produced: mounting, sensor and speed.

One draw holds for a whole recording: a strap does not turn and a sensor does not change its bias within a gesture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toolchain.ltc.weights import Floats

ROLL_DEGREES = 20.0
"""Standard deviation of the turn about the forearm (wrist axis x): straps slip that way most."""
TILT_DEGREES = 12.0
"""Standard deviation of the turn about a random axis."""
SPEED = (0.8, 1.25)
"""Range of the time stretch, drawn evenly in its logarithm."""
GAIN = 0.05
"""Standard deviation of a sensor's gain error."""
AMPLITUDE = 0.1
"""Standard deviation of how much more or less the wearer turns the hand."""
BIAS = (0.2, 0.03)
"""Standard deviations of the bias: m/s^2, rad/s."""
NOISE = (0.15, 0.02)
"""Largest standard deviations of the white noise: m/s^2, rad/s."""


@dataclass(frozen=True)
class Varied:
    """Samples (T, 6) in SI units, stamps in microseconds, and for each sample the index it came from."""

    samples: Floats
    t_us: npt.NDArray[np.int64]
    source: npt.NDArray[np.intp]


def vary(samples: Floats, t_us: npt.NDArray[np.int64], random: np.random.Generator) -> Varied:
    """Draw one variation of a recording ``samples`` (T, 6), ``t_us`` (T,), wrist axes."""
    speed = float(np.exp(random.uniform(*np.log(SPEED))))
    stretched, stamps, source = stretch(samples, t_us, speed)
    turn = rotation(np.array([1.0, 0.0, 0.0]), np.radians(random.normal(0, ROLL_DEGREES)))
    axis = random.standard_normal(3)
    turn = turn @ rotation(axis / np.linalg.norm(axis), np.radians(random.normal(0, TILT_DEGREES)))
    gain = 1 + GAIN * random.standard_normal(6)
    # A gesture that runs `speed` times as fast turns the hand that much faster.
    gain[3:] *= speed * np.exp(AMPLITUDE * random.standard_normal())
    three = np.ones(3)
    bias = random.standard_normal(6) * np.concatenate([BIAS[0] * three, BIAS[1] * three])
    noise = random.uniform(size=6) * np.concatenate([NOISE[0] * three, NOISE[1] * three])
    both = np.zeros((6, 6))
    both[:3, :3] = both[3:, 3:] = turn.T
    varied = stretched @ (both * gain).astype(np.float32) + bias.astype(np.float32)
    varied += random.standard_normal(varied.shape, np.float32) * noise.astype(np.float32)
    return Varied(varied, stamps, source)


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
