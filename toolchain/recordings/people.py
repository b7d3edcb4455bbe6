"""Simulated people: how each moves, wears the sensor, and what that sensor adds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from toolchain.board import RAD_PER_DEGREE, STANDARD_GRAVITY
from toolchain.recordings.motion import PITCH, ROLL, YAW, Array, rotations

LEFT_HANDED = 0.2
"""Fraction of people who wear the sensor on the left wrist."""
STRAP_TURNED = 0.18
"""Fraction of people whose strap is turned by 180 degrees about the wrist's z."""


@dataclass(frozen=True)
class Person:
    """One simulated person; angles in rad, lengths in m, times are factors of a typical one."""

    name: str
    side: int
    """+1 right wrist, -1 left wrist: mirrors roll and what is outward."""
    turned: bool
    amplitude: float
    tempo: float
    strength: float
    """Factor of the force of taps."""
    coupling: float
    """Supination per outward yaw of a swipe."""
    lateral: float
    """Sideways travel of the elbow in a swipe, m."""
    arc: float
    """Lift of the hand in a swipe, rad."""
    windup: float
    """Movement against the swipe before it, as a fraction of it."""
    rest: Array
    """Resting yaw, pitch and roll."""
    restlessness: float
    """Standard deviation of the resting posture, rad."""
    sensor: Array
    """Where the sensor sits, from the elbow, wrist axes, m."""
    mounting: Array
    """Rotation (3, 3), sensor to wrist."""
    acc_bias: Array
    gyro_bias: Array
    scale: Array
    """Scale of the six channels."""
    acc_noise: float
    """m/s^2 per sample."""
    gyro_noise: float
    """rad/s per sample."""
    tremor: float
    """rad, about the elbow."""
    tremor_hz: float


def turn(yaw: float, pitch: float, roll: float) -> Array:
    """Rotation matrix (3, 3) of three angles in rad."""
    return rotations(np.array([yaw, pitch, roll]))


def draw_person(name: str, rng: np.random.Generator) -> Person:
    """Draw a person. Sensor errors follow the LSM6DSO data sheet (DS12140 4.1): zero-g +-20 mg, zero-rate +-1 dps.

    Its noise densities (70 ug and 3.8 mdps per root Hz) are taken over 100 Hz, and more for a loose strap.
    """
    degrees = RAD_PER_DEGREE
    side = -1 if rng.random() < LEFT_HANDED else 1
    turned = bool(rng.random() < STRAP_TURNED)
    rest = np.zeros(3)
    rest[YAW] = side * rng.normal(20, 10) * degrees
    rest[PITCH] = rng.normal(2, 9) * degrees
    rest[ROLL] = side * rng.normal(18, 11) * degrees
    about_forearm = np.clip(rng.normal(0, 10), -25, 25) * degrees
    slip = rng.normal(0, 4, 3) * degrees
    mounting = turn(np.pi if turned else 0.0, 0.0, 0.0) @ turn(slip[0], slip[1], slip[2] + about_forearm)
    loose = rng.uniform(1.0, 3.0)
    return Person(
        name=name,
        side=side,
        turned=turned,
        amplitude=float(np.clip(rng.lognormal(0, 0.17), 0.68, 1.5)),
        tempo=float(np.clip(rng.lognormal(0, 0.14), 0.75, 1.35)),
        strength=float(np.clip(rng.lognormal(0, 0.25), 0.6, 1.8)),
        coupling=rng.uniform(0.1, 0.55),
        lateral=rng.uniform(0.03, 0.11),
        arc=rng.normal(2, 4) * degrees,
        windup=rng.uniform(0, 0.12),
        rest=rest,
        restlessness=rng.uniform(2, 7) * degrees,
        sensor=np.array([rng.normal(0.24, 0.015), rng.normal(0, 0.005), rng.uniform(0.02, 0.035)]),
        mounting=mounting,
        acc_bias=rng.normal(0, 0.02 * STANDARD_GRAVITY, 3),
        gyro_bias=rng.normal(0, 1.0 * degrees, 3),
        scale=rng.normal(1, 0.01, 6),
        acc_noise=loose * 70e-6 * STANDARD_GRAVITY * 10,
        gyro_noise=loose * 3.8e-3 * degrees * 10,
        tremor=rng.uniform(0.001, 0.008) * degrees,
        tremor_hz=rng.uniform(7.5, 11.5),
    )


def tremble(person: Person, tracks: Array, t: Array, rng: np.random.Generator) -> None:
    """Add physiological tremor (8-12 Hz) and slow sway to the angles of ``tracks`` (..., T, 6) in place; ``t`` in s."""
    shape = (*tracks.shape[:-2], 1)
    for track in (YAW, PITCH, ROLL):
        for detune, share in ((0.93, 0.6), (1.0, 1.0), (1.08, 0.6)):
            phase = rng.uniform(0, 2 * np.pi, shape)
            tracks[..., track] += person.tremor * share * np.sin(2 * np.pi * person.tremor_hz * detune * t + phase)
        for low, high, amount in ((0.15, 0.4, 0.6), (0.5, 1.2, 0.2)):
            phase, hz = rng.uniform(0, 2 * np.pi, shape), rng.uniform(low, high, shape)
            tracks[..., track] += amount * RAD_PER_DEGREE * np.sin(2 * np.pi * hz * t + phase)


def wear(person: Person, readings: Array, remount: Array, rng: np.random.Generator) -> Array:
    """Turn ideal readings (..., T, 6) in wrist axes into what this person's sensor reads; ``remount``: (3, 3)."""
    mounting = person.mounting @ remount
    worn = np.empty_like(readings)
    worn[..., :3] = readings[..., :3] @ mounting + person.acc_bias
    worn[..., 3:] = readings[..., 3:] @ mounting + person.gyro_bias
    noise = np.repeat([person.acc_noise, person.gyro_noise], 3)
    return worn * person.scale + noise * rng.standard_normal(readings.shape)
