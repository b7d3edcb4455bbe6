"""Everyday movement that is no gesture: walking, raising the arm, slow sweeps, bumps, typing, slow returns."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from toolchain.board import RAD_PER_DEGREE
from toolchain.recordings.motion import ELBOW_Y, ELBOW_Z, PITCH, ROLL, YAW, Array, Jolt, Motion, Stroke, Swing
from toolchain.recordings.people import Person


def walk(person: Person, rng: np.random.Generator) -> Motion:
    """Draw 4-7 s of walking: the arm sinks and swings, the body bobs at every step, heels strike."""
    duration = rng.uniform(4.0, 7.0)
    stride = rng.uniform(0.8, 1.05)
    sink = -rng.uniform(15, 45) * RAD_PER_DEGREE
    phase = rng.uniform(0, 2 * np.pi)
    strokes = (Stroke(PITCH, 0.0, 1.0, sink), Stroke(PITCH, duration - 1.0, 1.0, -sink))
    swings = (
        Swing(PITCH, 0.5, duration - 1.0, rng.uniform(6, 18) * RAD_PER_DEGREE, stride, phase),
        Swing(YAW, 0.5, duration - 1.0, rng.uniform(2, 7) * RAD_PER_DEGREE, stride, phase + rng.normal(0, 0.6)),
        Swing(ROLL, 0.5, duration - 1.0, rng.uniform(2, 7) * RAD_PER_DEGREE, stride, phase + rng.normal(0, 0.6)),
        Swing(ELBOW_Z, 0.5, duration - 1.0, rng.uniform(0.008, 0.02), 2 * stride, rng.uniform(0, 2 * np.pi)),
        Swing(ELBOW_Y, 0.5, duration - 1.0, rng.uniform(0.005, 0.02), stride, rng.uniform(0, 2 * np.pi)),
    )
    jolts = []
    for beat in np.arange(0.7, duration - 0.7, 0.5 / stride):
        force = rng.uniform(0.5, 2.5)
        blow = (force * rng.normal(0.5, 0.3), force * rng.normal(0, 0.2), force * rng.normal(0.7, 0.3), 0.0, 0.0, 0.0)
        jolts.append(Jolt(beat, blow, rng.uniform(8, 16), 0.04))
    return Motion(duration, strokes, swings, tuple(jolts))


def raise_arm(person: Person, rng: np.random.Generator) -> Motion:
    """Draw a look at the wrist: the arm comes up and rolls in, stays, and sinks again."""
    up, hold, down = rng.uniform(0.7, 1.2), rng.uniform(0.5, 1.6), rng.uniform(0.8, 1.4)
    amounts = {
        PITCH: rng.uniform(20, 50) * RAD_PER_DEGREE,
        ROLL: -person.side * rng.uniform(5, 40) * RAD_PER_DEGREE,
        YAW: person.side * rng.uniform(0, 25) * RAD_PER_DEGREE,
        ELBOW_Z: rng.uniform(0.02, 0.12),
    }
    strokes = []
    for track, amount in amounts.items():
        strokes += [Stroke(track, 0.0, up, amount), Stroke(track, up + hold, down, -amount)]
    return Motion(up + hold + down, tuple(strokes))


def slow_sweep(person: Person, rng: np.random.Generator) -> Motion:
    """Draw a slow reach to one side and back: a swipe's path, but 1.1-2.0 s each way."""
    out, hold, back = rng.uniform(1.1, 2.0), rng.uniform(0.2, 1.0), rng.uniform(1.1, 2.0)
    yaw = rng.choice([-1.0, 1.0]) * rng.uniform(20, 50) * RAD_PER_DEGREE
    amounts = {YAW: yaw, ROLL: -yaw * person.coupling, ELBOW_Y: np.sign(yaw) * person.lateral}
    strokes = []
    for track, amount in amounts.items():
        strokes += [Stroke(track, 0.0, out, amount), Stroke(track, out + hold, back, -amount)]
    return Motion(out + hold + back, tuple(strokes))


def bump(person: Person, rng: np.random.Generator) -> Motion:
    """Draw a soft blow of 35-75 ms from any side that pushes the arm away: an impact, but no tap."""
    direction = rng.normal(0, 1, 3) * np.array([0.6, 1.0, 0.7])
    direction /= np.linalg.norm(direction)
    force = rng.uniform(5, 18)
    blow = [*(force * direction), *(force * rng.normal(0, 0.06, 3))]
    strokes = []
    for track in (YAW, PITCH, ROLL):
        push = rng.normal(0, 4) * RAD_PER_DEGREE
        strokes += [Stroke(track, 0.0, 0.25, push), Stroke(track, 0.3, rng.uniform(0.5, 0.9), -push)]
    jolt = Jolt(
        0.01, (blow[0], blow[1], blow[2], blow[3], blow[4], blow[5]), rng.uniform(6.5, 14), rng.uniform(0.03, 0.07)
    )
    return Motion(1.2, tuple(strokes), jolts=(jolt,))


def fidget(person: Person, rng: np.random.Generator) -> Motion:
    """Draw 1.5-4 s of typing: small keystrokes and small turns of the hand."""
    duration = rng.uniform(1.5, 4.0)
    swings = tuple(
        Swing(track, 0.0, duration, rng.uniform(0.4, 2.5) * RAD_PER_DEGREE, rng.uniform(0.8, 2.5), rng.uniform(0, 6.28))
        for track in (YAW, PITCH, ROLL)
    )
    jolts, beat = [], 0.15
    while beat < duration - 0.2:
        force = rng.uniform(0.4, 2.8)
        blow = (force * rng.normal(0, 0.2), force * rng.normal(0, 0.2), force, 0.0, -0.04 * force, 0.0)
        jolts.append(Jolt(beat, blow, rng.uniform(18, 35), 0.02))
        beat += rng.uniform(0.12, 0.5)
    return Motion(duration, swings=swings, jolts=tuple(jolts))


def slow_return(offset: Array, rng: np.random.Generator) -> Motion:
    """Draw the way back from ``offset`` (six tracks) to the resting pose: 0.8-1.4 s."""
    duration = rng.uniform(0.8, 1.4)
    strokes = tuple(Stroke(track, 0.0, duration, -float(amount)) for track, amount in enumerate(offset) if amount)
    return Motion(duration, strokes)


EVERYDAY: dict[str, tuple[float, Callable[[Person, np.random.Generator], Motion]]] = {
    "walk": (0.2, walk),
    "raise_arm": (0.2, raise_arm),
    "slow_sweep": (0.2, slow_sweep),
    "bump": (0.2, bump),
    "fidget": (0.2, fidget),
}
"""Name: (how often, how it is drawn)."""


def draw_everyday(person: Person, rng: np.random.Generator) -> Motion:
    """Draw one everyday movement, kinds as often as EVERYDAY says."""
    kinds = list(EVERYDAY.values())
    chance = np.array([weight for weight, _ in kinds])
    return kinds[int(rng.choice(len(kinds), p=chance / chance.sum()))][1](person, rng)
