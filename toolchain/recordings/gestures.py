"""The gestures of the simulated set: swipe left and right, tap, rotate. Each call draws one performance."""

from __future__ import annotations

import numpy as np

from toolchain.board import RAD_PER_DEGREE
from toolchain.recordings.motion import ELBOW_X, ELBOW_Y, PITCH, ROLL, YAW, Jolt, Motion, Stroke
from toolchain.recordings.people import Person

GESTURES = ("swipe_left", "swipe_right", "tap", "rotate")
"""Names of the simulated gestures."""


def swipe(person: Person, rng: np.random.Generator, direction: int) -> Motion:
    """Draw a swipe to the left (``direction`` +1) or right (-1): 0.3-0.8 s; the arm stays where it ends.

    The forearm yaws about the elbow while the elbow travels sideways; outward swipes supinate, inward ones pronate.
    """
    duration = float(np.clip(person.tempo * rng.lognormal(-0.8, 0.13), 0.3, 0.8))
    yaw = direction * person.amplitude * rng.lognormal(0, 0.12) * 36 * RAD_PER_DEGREE
    roll = -yaw * person.coupling * rng.uniform(0.6, 1.4)
    lateral = direction * person.amplitude * person.lateral * rng.uniform(0.6, 1.4)
    lift = person.arc + rng.normal(0, 2.5) * RAD_PER_DEGREE
    windup = person.windup * rng.uniform(0.3, 1.3)
    back = 0.35 * duration
    lag = rng.uniform(0, 0.05)
    main = duration - 0.5 * back
    strokes = [
        Stroke(YAW, 0.0, back, -windup * yaw),
        Stroke(YAW, 0.5 * back, main, (1 + windup) * yaw),
        Stroke(ROLL, 0.5 * back + 0.5 * lag, main - 0.5 * lag, roll),
        Stroke(ELBOW_Y, 0.5 * back, main - lag, lateral),
        Stroke(PITCH, 0.5 * back, 0.5 * main, lift),
        Stroke(PITCH, 0.5 * back + 0.5 * main, 0.5 * main, -lift * rng.uniform(0.4, 1.0)),
    ]
    return Motion(duration, tuple(strokes))


def tap(person: Person, rng: np.random.Generator) -> Motion:
    """Draw a knock with the fingers: a short dip of the hand, a blow of 12-25 ms with ring-down, and back."""
    down = person.tempo * rng.uniform(0.09, 0.15)
    up = person.tempo * rng.uniform(0.14, 0.24)
    dip = -person.amplitude * rng.uniform(3, 8) * RAD_PER_DEGREE
    force = person.strength * rng.lognormal(0, 0.2) * 20.0
    hz, decay = rng.uniform(20, 38), rng.uniform(0.022, 0.045)
    blow = (
        force * rng.normal(0.05, 0.2),
        force * rng.normal(0, 0.15),
        force * rng.uniform(0.8, 1.1),
        force * rng.normal(0, 0.015),
        force * rng.normal(-0.08, 0.02),
        force * rng.normal(0, 0.015),
    )
    # The surface stops the hand before the dip is over.
    hit = 0.8 * down
    strokes = (Stroke(PITCH, 0.0, down, dip), Stroke(PITCH, down, up, -dip))
    return Motion(down + up, strokes, jolts=(Jolt(hit, blow, hz, decay),))


def rotate(person: Person, rng: np.random.Generator) -> Motion:
    """Draw a roll of the forearm outwards and back, 0.45-0.95 s."""
    out = float(np.clip(person.tempo * rng.lognormal(-1.2, 0.14), 0.2, 0.4))
    pause = rng.uniform(0, 0.07)
    back = out * rng.uniform(0.9, 1.25)
    roll = person.side * person.amplitude * rng.lognormal(0, 0.12) * 62 * RAD_PER_DEGREE
    rest = roll * rng.normal(0, 0.06)
    yaw, lift, reach = rng.normal(0, 3) * RAD_PER_DEGREE, rng.normal(0, 3) * RAD_PER_DEGREE, rng.normal(0, 0.012)
    strokes = [Stroke(ROLL, 0.0, out, roll), Stroke(ROLL, out + pause, back, rest - roll)]
    for track, amount in ((YAW, yaw), (PITCH, lift), (ELBOW_X, reach)):
        strokes += [Stroke(track, 0.0, out, amount), Stroke(track, out + pause, back, -amount)]
    return Motion(out + pause + back, tuple(strokes))


def perform(name: str, person: Person, rng: np.random.Generator) -> Motion:
    """Draw one performance of the gesture called ``name``."""
    if name == "tap":
        return tap(person, rng)
    if name == "rotate":
        return rotate(person, rng)
    return swipe(person, rng, 1 if name == "swipe_left" else -1)
