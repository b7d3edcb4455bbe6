"""Motions of a forearm as data, and the readings of an ideal IMU strapped to it.

World axes: x forward, y left, z up. Wrist axes: x towards the hand, y = z x x, z out of the back of the wrist. The pose
of the forearm is yaw, pitch (elevation of the hand, positive up) and roll (about the forearm), applied in that order,
and the place of the elbow. A motion is a list of smooth strokes, periodic swings and damped jolts on those six tracks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toolchain.board import STANDARD_GRAVITY

Array = npt.NDArray[np.float64]

YAW, PITCH, ROLL, ELBOW_X, ELBOW_Y, ELBOW_Z = range(6)
"""Tracks of a pose: three angles in rad, then the elbow's place in m (world axes)."""

PAD = 2
"""Samples before and after a scene that its derivatives need; they are cut off."""


@dataclass(frozen=True)
class Stroke:
    """A minimum-jerk change of one track by ``amount`` (rad or m), which stays; times in s."""

    track: int
    start: float
    duration: float
    amount: float


@dataclass(frozen=True)
class Swing:
    """A sine of ``amount`` (rad or m) on one track, faded in and out over ``fade`` s."""

    track: int
    start: float
    duration: float
    amount: float
    hz: float
    phase: float
    fade: float = 0.4


@dataclass(frozen=True)
class Jolt:
    """A blow against the sensor: the damped sine ``amount * exp(-t / decay) * sin(2 pi hz t)`` in wrist axes.

    ``amount``: ax ay az in m/s^2, gx gy gz in rad/s.
    """

    start: float
    amount: tuple[float, float, float, float, float, float]
    hz: float
    decay: float


@dataclass(frozen=True)
class Motion:
    """Strokes, swings and jolts relative to the motion's start, and how long it lasts in s."""

    duration: float
    strokes: tuple[Stroke, ...] = ()
    swings: tuple[Swing, ...] = ()
    jolts: tuple[Jolt, ...] = ()

    def offset(self) -> Array:
        """How far the six tracks are from where they were when the motion is over."""
        total = np.zeros(6)
        for stroke in self.strokes:
            total[stroke.track] += stroke.amount
        return total


def minimum_jerk(u: Array) -> Array:
    """Position of the minimum-jerk movement from 0 to 1, with ``u`` clipped to 0..1 (Flash and Hogan 1985, eq. 3)."""
    u = np.clip(u, 0.0, 1.0)
    return u * u * u * (10.0 + u * (6.0 * u - 15.0))


class Scene:
    """Tracks and jolts of one stretch of time, to which motions are added."""

    def __init__(self, samples: int, rate_hz: float) -> None:
        """Make a motionless scene of ``samples`` samples, the first at time 0, at ``rate_hz``."""
        self.samples = samples
        self.rate_hz = rate_hz
        self.t = (np.arange(samples + 2 * PAD) - PAD) / rate_hz
        self.tracks = np.zeros((samples + 2 * PAD, 6))
        self.jolts = np.zeros((samples + 2 * PAD, 6))
        self.labels = np.zeros(samples, np.int16)

    def _span(self, start: float, end: float) -> tuple[int, int]:
        first = int(np.ceil(start * self.rate_hz - 1e-9)) + PAD
        last = int(np.ceil(end * self.rate_hz - 1e-9)) + PAD
        return min(max(first, 0), len(self.t)), min(max(last, 0), len(self.t))

    def add(self, motion: Motion, at: float) -> float:
        """Add ``motion`` starting at time ``at`` (s; parts outside the scene are cut) and return when it ends."""
        for stroke in motion.strokes:
            begin = at + stroke.start
            first, last = self._span(begin, begin + stroke.duration)
            self.tracks[first:last, stroke.track] += stroke.amount * minimum_jerk(
                (self.t[first:last] - begin) / stroke.duration
            )
            self.tracks[last:, stroke.track] += stroke.amount
        for swing in motion.swings:
            begin = at + swing.start
            first, last = self._span(begin, begin + swing.duration)
            t = self.t[first:last] - begin
            envelope = minimum_jerk(t / swing.fade) * minimum_jerk((swing.duration - t) / swing.fade)
            self.tracks[first:last, swing.track] += (
                swing.amount * envelope * np.sin(2 * np.pi * swing.hz * t + swing.phase)
            )
        for jolt in motion.jolts:
            begin = at + jolt.start
            first, last = self._span(begin, begin + 7 * jolt.decay)
            t = self.t[first:last] - begin
            ring = np.exp(-t / jolt.decay) * np.sin(2 * np.pi * jolt.hz * t)
            self.jolts[first:last] += ring[:, None] * np.asarray(jolt.amount)
        return at + motion.duration

    def mark(self, start: float, end: float, label: int) -> None:
        """Label the samples from ``start`` to ``end`` (s)."""
        first, last = self._span(start, end)
        self.labels[max(first - PAD, 0) : max(last - PAD, 0)] = label


def rotations(angles: Array) -> Array:
    """Rotation matrices (..., 3, 3), wrist to world, of yaw, pitch and roll (..., 3) in rad."""
    cy, cp, cr = np.moveaxis(np.cos(angles), -1, 0)
    sy, sp, sr = np.moveaxis(np.sin(angles), -1, 0)
    matrix = np.empty((*angles.shape[:-1], 3, 3))
    matrix[..., 0, 0], matrix[..., 1, 0], matrix[..., 2, 0] = cy * cp, sy * cp, sp
    matrix[..., 0, 1] = -cy * sp * sr - sy * cr
    matrix[..., 1, 1] = cy * cr - sy * sp * sr
    matrix[..., 2, 1] = cp * sr
    matrix[..., 0, 2] = sy * sr - cy * sp * cr
    matrix[..., 1, 2] = -sy * sp * cr - cy * sr
    matrix[..., 2, 2] = cp * cr
    return matrix


def ideal_imu(tracks: Array, sensor: Array, rate_hz: float) -> Array:
    """Return the readings (..., T, 6) of an ideal IMU for tracks (..., T + 2 PAD, 6).

    ``sensor``: where it sits, in m from the elbow, wrist axes.

    Accelerometer: specific force ``R^T (a - g)`` in m/s^2; gyroscope: body rates in rad/s. Both derivatives are
    central differences of the sampled pose, so they belong to the very sample that they stand at.
    """
    matrix = rotations(tracks[..., :3])
    place = tracks[..., 3:] + matrix @ sensor
    inner = slice(PAD, -PAD)
    before, after = slice(PAD - 1, -PAD - 1), slice(PAD + 1, -PAD + 1)
    here = matrix[..., inner, :, :]
    force = (place[..., after, :] - 2 * place[..., inner, :] + place[..., before, :]) * rate_hz**2
    force[..., 2] += STANDARD_GRAVITY
    # R^T dR/dt is the skew matrix of the body rates.
    spin = np.swapaxes(here, -1, -2) @ (matrix[..., after, :, :] - matrix[..., before, :, :]) * (rate_hz / 2)
    readings = np.empty((*force.shape[:-1], 6))
    readings[..., :3] = np.einsum("...ij,...i->...j", here, force)
    readings[..., 3] = 0.5 * (spin[..., 2, 1] - spin[..., 1, 2])
    readings[..., 4] = 0.5 * (spin[..., 0, 2] - spin[..., 2, 0])
    readings[..., 5] = 0.5 * (spin[..., 1, 0] - spin[..., 0, 1])
    return readings
