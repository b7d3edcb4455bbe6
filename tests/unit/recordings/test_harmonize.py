"""Sets from different devices: what tells them apart at rest before, and does not after."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from toolchain.errors import DataError
from toolchain.recordings import grwd, spsw
from toolchain.recordings.harmonize import features, harmonize, measure, rests, told_apart
from toolchain.recordings.recording import Collection, Recording
from toolchain.recordings.resample import resample

RATE_HZ = 208.0


def device(name: str, seed: int, gain: float, offset: float, noise: float, most: float) -> Collection:
    """Ten people at rest in any posture, and a movement at the end, as one device would record them."""
    random = np.random.default_rng(seed)
    recordings = []
    for person in range(10):
        for _ in range(6):
            up = random.normal(size=3)
            samples = np.zeros((1040, 6))
            samples[:, :3] = 9.8 * gain * up / np.linalg.norm(up)
            samples[:, 3:] = offset
            samples[900:, 3:] += 20 * np.sin(np.arange(140) / 20)[:, None]
            samples += random.normal(0, 1, samples.shape) * np.repeat([noise, noise / 10], 3)
            samples = np.clip(samples, -most, most).astype(np.float32)
            t_us = np.rint(np.arange(1040) * 1e6 / RATE_HZ).astype(np.int64)
            recordings.append(Recording(samples, t_us, np.zeros(1040, np.int16), f"{name}{person}", kind="stream"))
    return Collection(name, ("none",), "none", tuple(recordings))


def resting(collection: Collection) -> list[tuple[str, np.ndarray]]:
    return [(r.person, features(block)) for r in collection.recordings for block in rests(r)]


def test_devices_are_told_apart_before_and_not_after() -> None:
    sets = [device("a", 1, 1.0, 0.0, 0.02, 19.6), device("b", 2, 1.03, 0.02, 0.004, 80.0)]
    assert told_apart([resting(one) for one in sets]) > 0.99
    made = harmonize(sets, [RATE_HZ, RATE_HZ], RATE_HZ)
    assert told_apart([resting(one) for one in made]) < 0.6
    one, other = measure(made[0]), measure(made[1])
    assert one.acc_size == pytest.approx(other.acc_size, rel=0.001)
    assert one.noise == pytest.approx(other.noise, rel=0.05)
    assert one.limit == pytest.approx(other.limit, rel=0.02)
    assert all("noise raised" in c.notes[-1] for c in made)


def test_it_is_deterministic_and_leaves_stamps_and_labels() -> None:
    sets = [device("a", 1, 1.0, 0.0, 0.02, 19.6), device("b", 2, 1.0, 0.0, 0.004, 80.0)]
    first, second = harmonize(sets, [200, 50], RATE_HZ), harmonize(sets, [200, 50], RATE_HZ)
    for a, b, before in zip(first[1].recordings, second[1].recordings, sets[1].recordings, strict=True):
        assert np.array_equal(a.samples, b.samples)
        assert np.array_equal(a.t_us, before.t_us)
        assert np.array_equal(a.labels, before.labels)


def test_gravity_is_not_mixed_with_none() -> None:
    one = device("a", 1, 1.0, 0.0, 0.02, 19.6)
    with pytest.raises(DataError, match="'bare' has no gravity"):
        harmonize([one, replace(one, name="bare", gravity=False)], [100, 100], RATE_HZ)


def test_a_set_that_never_rests_is_refused() -> None:
    one = device("a", 1, 1.0, 0.0, 0.02, 19.6)
    shaken = tuple(
        replace(r, samples=np.random.default_rng(1).normal(0, 9, r.samples.shape).astype(np.float32))
        for r in one.recordings
    )
    with pytest.raises(DataError, match="no rest to measure"):
        measure(replace(one, recordings=shaken))


def test_the_real_watch_and_the_real_strap(real: Collection) -> None:
    """0.5 is chance. What is left after it is how still the people of each set hold their arms."""
    if not spsw.default_path().exists():
        pytest.skip(f"{spsw.default_path()} is not there (set TINYLTC_DATA)")
    starts = [r for r in real.recordings if r.kind == "window" and not r.labels.any()]
    strap = replace(real, recordings=tuple(resample(r, RATE_HZ) for r in starts))
    streams = [r for r in spsw.load().recordings if r.kind == "stream"]
    watch = replace(spsw.load(), recordings=tuple(resample(r, RATE_HZ) for r in streams))
    assert told_apart([resting(strap), resting(watch)]) > 0.9
    made = harmonize([strap, watch], [172, 100], RATE_HZ)
    assert told_apart([resting(one) for one in made]) < 0.75
    assert grwd.default_path().exists()
