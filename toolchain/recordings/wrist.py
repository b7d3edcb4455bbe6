"""The built-in simulated set ``wrist``: windows and 60 s streams of people who differ, seeded.

A person depends on the seed and their own number only, so neither the order nor the number of people changes one.
"""

from __future__ import annotations

from typing import Literal

import numpy as np

from toolchain.board import RAD_PER_DEGREE
from toolchain.errors import DataError
from toolchain.recordings.everyday import draw_everyday, raise_arm, slow_return, walk
from toolchain.recordings.gestures import GESTURES, perform
from toolchain.recordings.motion import PITCH, ROLL, YAW, Array, Motion, Scene, Stroke, ideal_imu
from toolchain.recordings.people import Person, draw_person, tremble, turn, wear
from toolchain.recordings.recording import Collection, Recording

BACKGROUND = "none"
CLASSES = (BACKGROUND, *GESTURES)
DEFAULT_PEOPLE = 46
SOURCE = "simulated"
LICENCE = "Apache-2.0 (made by TinyLTC itself)"
NOTES = (
    "Simulated: accuracies are optimistic; use it for comparisons and for proofs of the toolchain.",
    "Windows of fixed length end 0.03-0.25 s after the gesture's motion.",
)

WINDOW_S = 1.25
STREAM_S = 60.0
WINDOWS_PER_GESTURE = 10
BACKGROUND_WINDOWS = 20
STREAMS = 2
SESSIONS = 2

_MIN_GESTURES, _MAX_GESTURES = 10, 14
_EDGE_S = 1.2
_SLOT_S = 3.25
_LONG_AGO = -100.0


def _window(name: str, person: Person, rate_hz: float, rng: np.random.Generator) -> Scene:
    """Draw one window; a gesture ends 0.03-0.25 s before the window does."""
    scene = Scene(round(WINDOW_S * rate_hz), rate_hz)
    if name == BACKGROUND:
        _background(scene, person, rng)
        return scene
    gesture = perform(name, person, rng)
    end = WINDOW_S - rng.uniform(0.03, 0.25)
    start = end - gesture.duration
    if rng.random() < 0.3:
        before = draw_everyday(person, rng)
        scene.add(before, start - before.duration - rng.uniform(0.02, 0.4))
    scene.add(gesture, start)
    scene.add(slow_return(gesture.offset(), rng), end + rng.uniform(0.05, 0.5))
    scene.mark(start, end, CLASSES.index(name))
    return scene


def _background(scene: Scene, person: Person, rng: np.random.Generator) -> None:
    """Fill a window with rest, the way back from a gesture, or any part of an everyday movement."""
    kind = rng.random()
    if kind < 0.15:
        return
    if kind < 0.35:
        offset = perform(str(rng.choice(GESTURES)), person, rng).offset()
        away = tuple(Stroke(track, 0.0, 1.0, float(amount)) for track, amount in enumerate(offset) if amount)
        scene.add(Motion(1.0, away), _LONG_AGO)
        scene.add(slow_return(offset, rng), rng.uniform(-0.4, 0.6))
        return
    motion = draw_everyday(person, rng)
    scene.add(motion, rng.uniform(0.3 - 0.9 * motion.duration, 0.8))


def _stream(person: Person, rate_hz: float, rng: np.random.Generator) -> Scene:
    """Draw a stream: every gesture at least twice, at random moments, with everyday movement in between.

    Every slot ends with a gesture and its slow return; one walk and one raised arm are sure to happen.
    """
    scene = Scene(round(STREAM_S * rate_hz), rate_hz)
    count = int(rng.integers(_MIN_GESTURES, _MAX_GESTURES + 1))
    names = list(GESTURES) * 2
    names += [str(name) for name in rng.choice(GESTURES, count - len(names))]
    names = [names[i] for i in rng.permutation(count)]
    walk_slot, raise_slot = rng.choice(count, 2, replace=False).tolist()
    sure = {walk_slot: walk(person, rng), raise_slot: raise_arm(person, rng)}
    needed = np.array([_SLOT_S + (sure[i].duration if i in sure else 0.0) for i in range(count)])
    spare = STREAM_S - 2 * _EDGE_S - needed.sum()
    ends = _EDGE_S + np.cumsum(needed + spare * rng.dirichlet(np.full(count, 1.5)))
    now = _EDGE_S
    for i, (name, slot_end) in enumerate(zip(names, ends.tolist(), strict=True)):
        gesture = perform(name, person, rng)
        back = slow_return(gesture.offset(), rng)
        pause = rng.uniform(0.05, 0.5)
        start = slot_end - gesture.duration - pause - back.duration - rng.uniform(0.05, 0.3)
        candidates = [sure[i]] if i in sure else []
        for motion in candidates + [draw_everyday(person, rng) for _ in range(4)]:
            if now + motion.duration < start - 0.05:
                now = scene.add(motion, now) + rng.uniform(0.05, 0.6)
        end = scene.add(gesture, start)
        scene.mark(start, end, CLASSES.index(name))
        scene.add(back, end + pause)
        now = slot_end
    return scene


def _record(
    scenes: list[Scene],
    person: Person,
    kind: Literal["window", "stream"],
    session: int,
    remount: Array,
    rng: np.random.Generator,
) -> list[Recording]:
    """Turn scenes of one length into recordings: resting posture, tremor, IMU, strap, noise."""
    rate_hz = scenes[0].rate_hz
    tracks = np.stack([scene.tracks for scene in scenes])
    posture = person.rest + person.restlessness * rng.standard_normal((len(scenes), 1, 3))
    tracks[..., [YAW, PITCH, ROLL]] += posture
    tremble(person, tracks, scenes[0].t, rng)
    readings = ideal_imu(tracks, person.sensor, rate_hz)
    pad = (len(scenes[0].t) - scenes[0].samples) // 2
    readings += np.stack([scene.jolts[pad:-pad] for scene in scenes])
    samples = wear(person, readings, remount, rng).astype(np.float32)
    t_us = np.rint(np.arange(scenes[0].samples) * (1e6 / rate_hz)).astype(np.int64)
    side = "right wrist" if person.side > 0 else "left wrist"
    mounting = f"{side}, strap turned" if person.turned else side
    return [
        Recording(samples[i], t_us, scene.labels, person.name, str(session), mounting, kind)
        for i, scene in enumerate(scenes)
    ]


def simulate_person(number: int, seed: int, rate_hz: float) -> list[Recording]:
    """Simulate all recordings of person ``number`` (0..) at ``rate_hz``: windows and streams of two sessions."""
    rng = np.random.default_rng([seed, number])
    person = draw_person(f"sim{number:03d}", rng)
    recordings = []
    for session in range(1, SESSIONS + 1):
        remount = turn(*(rng.normal(0, 1, 3) * np.array([2, 2, 4]) * RAD_PER_DEGREE))
        names = [n for n in GESTURES for _ in range(WINDOWS_PER_GESTURE // SESSIONS)]
        names += [BACKGROUND] * (BACKGROUND_WINDOWS // SESSIONS)
        windows = [_window(name, person, rate_hz, rng) for name in names]
        recordings += _record(windows, person, "window", session, remount, rng)
        streams = [_stream(person, rate_hz, rng) for _ in range(STREAMS // SESSIONS)]
        recordings += _record(streams, person, "stream", session, remount, rng)
    return recordings


def simulate(people: int, seed: int, rate_hz: float) -> Collection:
    """Simulate the set of ``people`` people. Raises DataError for a rate that cannot carry the gestures."""
    if not 25.0 <= rate_hz <= 2000.0:
        raise DataError(f"The simulated set cannot be made at {rate_hz:g} Hz.", "Use a rate of 25 to 2000 Hz.")
    recordings = [r for number in range(people) for r in simulate_person(number, seed, rate_hz)]
    return Collection("wrist", CLASSES, BACKGROUND, tuple(recordings), SOURCE, LICENCE, NOTES)
