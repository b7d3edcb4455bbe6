"""A simulated person who wears the sensor and moves when asked: what a virtual IMU is fed with, piece by piece."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

from toolchain.board import RAD_PER_DEGREE, Imu
from toolchain.recordings.codes import to_codes
from toolchain.recordings.everyday import draw_everyday, slow_return
from toolchain.recordings.gestures import GESTURES, perform
from toolchain.recordings.motion import PAD, PITCH, ROLL, YAW, Motion, Scene, Stroke, ideal_imu
from toolchain.recordings.people import draw_person, tremble, turn, wear

RATE_SPREAD = 0.01
"""Standard deviation of the sensor's true rate, as a fraction of what is set: its oscillator is its own."""
_REACTION_S = (0.22, 0.45)
_HOLD_S = (0.35, 0.7)
_PAUSE_S = (0.3, 1.2)


def invented(label: str, rng: np.random.Generator) -> Motion:
    """Draw a performance of a gesture that nobody described: its shape hangs on its name, its size on the moment."""
    shape = np.random.default_rng(int.from_bytes(hashlib.sha256(label.encode()).digest()[:8], "little"))
    out = float(shape.uniform(0.2, 0.4) * rng.lognormal(0, 0.1))
    strokes = []
    for track in (YAW, PITCH, ROLL):
        amount = float(shape.uniform(-45, 45) * rng.lognormal(0, 0.12)) * RAD_PER_DEGREE
        strokes += [Stroke(track, 0.0, out, amount), Stroke(track, out, out, -amount)]
    return Motion(2 * out, tuple(strokes))


class Wearer:
    """A person of the simulated set, in real time: :meth:`more` gives the sensor's next samples.

    The person is drawn from ``name`` and ``seed``, each performance from the moment.
    """

    def __init__(self, name: str, imu: Imu, seed: int = 0, background: str = "none") -> None:
        drawn = int.from_bytes(hashlib.sha256(f"{seed}/{name}".encode()).digest()[:8], "little")
        self._rng = np.random.default_rng(drawn)
        self._person = draw_person(name, self._rng)
        self._remount = turn(*(self._rng.normal(0, 1, 3) * np.array([2, 2, 4]) * RAD_PER_DEGREE))
        self._posture = self._person.rest
        self._tremor_seed = drawn % 2**32
        self._imu = imu
        self._background = background
        self.rate_hz = imu.rate_hz * (1 + float(np.clip(self._rng.normal(0, RATE_SPREAD), -0.03, 0.03)))
        """The true rate of this sensor."""
        self._made = 0
        self._motions: list[tuple[Motion, float]] = []
        self._settled = np.zeros(6)
        self.performed: list[tuple[str, float, float]] = []
        """(label, start, end) of every performance, seconds of the sensor's time."""

    def perform(self, label: str, now_s: float, seconds: float = 0.0) -> None:
        """Perform ``label`` a reaction time after ``now_s``; the background: everyday movement for ``seconds``."""
        start = max(now_s + self._rng.uniform(*_REACTION_S), self._made / self.rate_hz)
        if label == self._background:
            at = start
            while at < now_s + seconds - 1.0:
                motion = draw_everyday(self._person, self._rng)
                self._motions.append((motion, at))
                back = slow_return(motion.offset(), self._rng)
                self._motions.append((back, at + motion.duration))
                at += motion.duration + back.duration + self._rng.uniform(*_PAUSE_S)
            return
        known = label in GESTURES
        gesture = perform(label, self._person, self._rng) if known else invented(label, self._rng)
        self._motions.append((gesture, start))
        end = start + gesture.duration
        self.performed.append((label, start, end))
        back = slow_return(gesture.offset(), self._rng)
        self._motions.append((back, end + self._rng.uniform(*_HOLD_S)))

    def more(self, until_s: float) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int64]]:
        """Return codes int16 (n, 6) and stamps int64 (n,), microseconds, of the samples up to ``until_s``."""
        count = int(until_s * self.rate_hz) - self._made
        if count <= 0:
            return np.empty((0, 6), np.int16), np.empty(0, np.int64)
        begin = (self._made + 1) / self.rate_hz
        scene = Scene(count, self.rate_hz)
        scene.tracks += self._settled
        for motion, at in self._motions:
            scene.add(motion, at - begin)
        tracks = scene.tracks
        tracks[:, [YAW, PITCH, ROLL]] += self._posture
        # The same draws of phases for every piece: the tremor goes on where it was.
        tremble(self._person, tracks, scene.t + begin, np.random.default_rng(self._tremor_seed))
        readings = ideal_imu(tracks, self._person.sensor, self.rate_hz) + scene.jolts[PAD:-PAD]
        samples = wear(self._person, readings, self._remount, self._rng)
        stamps = np.rint((self._made + 1 + np.arange(count)) * (1e6 / self.rate_hz)).astype(np.int64)
        self._made += count
        self._settle(begin - 1.0)
        return to_codes(samples, self._imu), stamps

    def _settle(self, before_s: float) -> None:
        """Forget motions that are long over, and keep where they left the arm."""
        still = []
        for motion, at in self._motions:
            if at + motion.duration < before_s:
                self._settled = self._settled + motion.offset()
            else:
                still.append((motion, at))
        self._motions = still
