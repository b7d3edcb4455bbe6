"""Bring sets from different devices to one scale, bias, band, range and noise before they are mixed.

Units and axes are the importers' work, the rate is resample's. What is left tells the devices apart without any
movement: the size of gravity, the gyroscope's offset, the noise and its band, and where the range ends. A network
that is trained on gestures of one device and on background of another would learn just that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from toolchain.board import STANDARD_GRAVITY
from toolchain.errors import DataError
from toolchain.recordings.recording import Collection, Recording

REST_S = 0.5
"""Length of the stretches that are looked at for rest."""
QUIET_RATE = 0.35
"""rad/s: a stretch whose angular rate never leaves this, offset removed, is rest."""
MARGIN = 1.5
"""The common noise is this much above that of the noisiest set: what differs below it drowns."""
_BAND = 0.4
"""Fraction of the lowest native rate up to which every set keeps its spectrum."""


@dataclass(frozen=True)
class Device:
    """What rest says about the device of one set.

    ``acc_size`` median size of the resting accelerometer, m/s^2; ``noise`` (2,) median standard deviation of the second
    differences at rest over sqrt(6), accelerometer and gyroscope; ``limit`` (2,) largest value that occurs.
    """

    acc_size: float
    noise: npt.NDArray[np.float64]
    limit: npt.NDArray[np.float64]


def rests(recording: Recording) -> list[npt.NDArray[np.float64]]:
    """Return the resting stretches (n, 6) of REST_S of one recording."""
    if len(recording.t_us) < 4:
        return []
    period_us = max(float(np.median(np.diff(recording.t_us))), 1.0)
    size = max(round(REST_S * 1e6 / period_us), 4)
    count = len(recording.samples) // size
    blocks = recording.samples[: count * size].reshape(count, size, 6).astype(np.float64)
    rate = blocks[:, :, 3:] - np.median(blocks[:, :, 3:], axis=1, keepdims=True)
    quiet = np.linalg.norm(rate, axis=2).max(axis=1, initial=0.0) < QUIET_RATE
    return list(blocks[quiet])


def noise(block: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Noise (2,) of a resting stretch: movement is smooth, so its second differences are those of the noise."""
    second = np.diff(block, n=2, axis=0).std(axis=0) / np.sqrt(6.0)
    return np.array([np.sqrt((second[:3] ** 2).mean()), np.sqrt((second[3:] ** 2).mean())])


def features(block: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """What a device shows at rest (6,): size of the mean of both sensors, log of their variances and noises.

    The direction of gravity is left out: how people hold their arm is what they do, not what they wear.
    """
    mean, spread = block.mean(axis=0), block.var(axis=0)
    sizes = [np.linalg.norm(mean[:3]), np.linalg.norm(mean[3:])]
    spreads = np.log([spread[:3].mean() + 1e-9, spread[3:].mean() + 1e-9])
    return np.array([*sizes, *spreads, *np.log(noise(block) + 1e-9)])


def measure(collection: Collection) -> Device:
    """Measure the device of a set by its rests; raises DataError when it never rests."""
    blocks = [block for r in collection.recordings for block in rests(r)]
    if not blocks:
        raise DataError(f"The set '{collection.name}' has no rest to measure its device by.", "Do not mix it.")
    size = float(np.median([np.linalg.norm(block[:, :3].mean(axis=0)) for block in blocks]))
    largest = np.max([np.abs(r.samples).max(axis=0) for r in collection.recordings], axis=0)
    floor = np.median([noise(block) for block in blocks], axis=0)
    return Device(size, floor, np.array([largest[:3].max(), largest[3:].max()], np.float64))


def harmonize(collections: Sequence[Collection], native_hz: Sequence[float], rate_hz: float) -> list[Collection]:
    """Return sets that are at one rate with one scale, gyroscope offset, band, range and noise.

    ``native_hz``: the rate that each was recorded at. Deterministic. Raises DataError for sets that include gravity
    with sets that do not.
    """
    if len({c.gravity for c in collections}) > 1:
        bare = next(c.name for c in collections if not c.gravity)
        raise DataError(
            f"The set '{bare}' has no gravity in it and cannot be mixed with sets that do.", "Train it alone."
        )
    kernel = _low_pass(_BAND * min(*native_hz, rate_hz), rate_hz)
    centred = [_scaled(c, kernel) for c in collections]
    devices = [measure(c) for c in centred]
    limit = np.min([device.limit for device in devices], axis=0)
    target = MARGIN * np.max([device.noise for device in devices], axis=0)
    result = []
    for index, (collection, device) in enumerate(zip(centred, devices, strict=True)):
        random = np.random.default_rng(index)
        added = np.repeat(np.sqrt(np.maximum(target**2 - device.noise**2, 0.0)), 3)
        most = np.repeat(limit, 3)
        recordings = tuple(
            replace(r, samples=np.clip(r.samples + _coloured(len(r.samples), kernel, random) * added, -most, most))
            for r in collection.recordings
        )
        recordings = tuple(replace(r, samples=r.samples.astype(np.float32)) for r in recordings)
        note = (
            f"Mixed: low-passed, clipped to {limit[0]:.1f} m/s^2 and {limit[1]:.2f} rad/s, noise raised to "
            f"{target[0]:.4f} m/s^2 and {target[1]:.4f} rad/s."
        )
        result.append(replace(collection, recordings=recordings, notes=(*collection.notes, note)))
    return result


def _scaled(collection: Collection, kernel: npt.NDArray[np.float64]) -> Collection:
    """Low-pass, bring resting gravity to 9.80665 m/s^2 by one gain for each person, take the gyroscope's offset out."""
    gain: dict[str, float] = {}
    offset: dict[str, npt.NDArray[np.float64]] = {}
    people: dict[str, list[npt.NDArray[np.float64]]] = {}
    for r in collection.recordings:
        people.setdefault(r.person, []).extend(rests(r))
    for person, blocks in people.items():
        sizes = [float(np.linalg.norm(block[:, :3].mean(axis=0))) for block in blocks]
        gain[person] = STANDARD_GRAVITY / float(np.median(sizes)) if sizes and collection.gravity else 1.0
        means = [block[:, 3:].mean(axis=0) for block in blocks]
        offset[person] = np.median(means, axis=0) if means else np.zeros(3)
    recordings = []
    for r in collection.recordings:
        samples = r.samples.astype(np.float64)
        samples[:, :3] *= gain[r.person]
        samples[:, 3:] -= offset[r.person]
        recordings.append(replace(r, samples=_filtered(samples, kernel).astype(np.float32)))
    return replace(collection, recordings=tuple(recordings))


def _filtered(samples: npt.NDArray[np.float64], kernel: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    reach = len(kernel) // 2
    padded = np.pad(samples, ((reach, reach), (0, 0)), mode="edge")
    return np.stack([np.convolve(padded[:, c], kernel, "valid") for c in range(6)], axis=1)


def _coloured(count: int, kernel: npt.NDArray[np.float64], random: np.random.Generator) -> npt.NDArray[np.float64]:
    """Noise (count, 6) in the band of the sets, so that only its level could tell it; noise() of it is 1."""
    white = _filtered(random.normal(0, 1, (count, 6)), kernel)
    second = np.convolve(kernel, [1.0, -2.0, 1.0])
    return np.asarray(white / np.sqrt((second**2).sum() / 6.0))


def _low_pass(cut_hz: float, rate_hz: float) -> npt.NDArray[np.float64]:
    """Kernel of odd length, a Hann window whose -6 dB point is about ``cut_hz``; a single 1 if nothing is to be cut."""
    reach = round(rate_hz / (2 * cut_hz))
    if cut_hz >= rate_hz / 2 or reach < 1:
        return np.ones(1)
    window = np.hanning(2 * reach + 3)[1:-1]
    return np.asarray(window / window.sum())


def told_apart(sets: Sequence[Sequence[tuple[str, npt.NDArray[np.float64]]]]) -> float:
    """Balanced accuracy of a linear classifier that guesses the set from ``features`` of rests.

    ``sets``: for each of two sets (person, features) of every rest. Linear discriminant, two folds by person; 0.5 is
    chance.
    """
    people = [sorted({person for person, _ in one}) for one in sets]
    right = []
    for fold in (0, 1):
        parts = []
        for names, one in zip(people, sets, strict=True):
            held = set(names[fold::2])
            parts.append((np.array([f for p, f in one if p not in held]), np.array([f for p, f in one if p in held])))
        (train_a, test_a), (train_b, test_b) = parts
        both = np.concatenate([train_a - train_a.mean(axis=0), train_b - train_b.mean(axis=0)])
        spread = np.cov(both.T) + 1e-6 * np.eye(both.shape[1])
        direction = np.linalg.solve(spread, train_b.mean(axis=0) - train_a.mean(axis=0))
        middle = direction @ (train_a.mean(axis=0) + train_b.mean(axis=0)) / 2
        right += [float((test_a @ direction < middle).mean()), float((test_b @ direction >= middle).mean())]
    return float(np.mean(right))
