"""The trees: features, windows and answers over a stream."""

from __future__ import annotations

import numpy as np
import pytest

from toolchain.ltc.evaluate import FLOAT_Y_SCALE
from toolchain.ltc.modelspec import ModelSpec
from toolchain.project import Augmentation, Training
from toolchain.recordings.recording import Recording
from toolchain.study.trees import HOP_S, Trees, features, windows_of

pytest.importorskip("sklearn")
RATE = 52.0


@pytest.fixture(scope="module")
def spec() -> ModelSpec:
    return ModelSpec(
        classes=["none", "left", "right"],
        units=[4],
        rate_hz=RATE,
        period_us=19231,
        time_scale=7.0,
        dt_max_us=100_000,
        acc_lsb=0.002,
        gyro_lsb=0.001,
        input_gain=[1e-4] * 6,
        input_clip=4.0,
        tau_epsilon=0.05,
    )


def recording(label: int, seed: int, seconds: float = 4.0) -> Recording:
    """A turn to one side for 0.8 s in the middle of rest."""
    random = np.random.default_rng(seed)
    count = round(seconds * RATE)
    samples = random.normal(0, 0.1, (count, 6)).astype(np.float32)
    samples[:, 2] += 9.81
    labels = np.zeros(count, np.int16)
    start = int(random.integers(60, 100))
    labels[start : start + 42] = label
    samples[start : start + 42, 3] += {0: 0.0, 1: 4.0, 2: -4.0}[label]
    t_us = np.rint(np.arange(count) * 1e6 / RATE).astype(np.int64)
    return Recording(samples, t_us, labels, f"p{seed}")


def test_features_are_finite_and_tell_order_in_time() -> None:
    window = np.cumsum(np.random.default_rng(1).normal(0, 1, (78, 6)), axis=0)
    one, other = features(window), features(window[::-1])
    assert np.isfinite(one).all()
    assert not np.allclose(one, other)
    assert np.isfinite(features(np.ones((8, 6)))).all()


def test_a_window_is_a_gesture_s_once_it_holds_most_of_it() -> None:
    x, y = windows_of(recording(1, 1), 0)
    assert len(x) == len(y)
    assert set(y.tolist()) == {0, 1}
    assert y[0] == 0
    first = int(np.flatnonzero(y)[0])
    assert (y[first : first + 5] == 1).all()


def test_trees_answer_in_the_stream(spec: ModelSpec) -> None:
    settings = Training(augmentation=Augmentation(half_turns=0.0, speed=1.0))
    trees = Trees(spec, 1)
    trees.train([recording(label, seed) for seed in range(8) for label in (0, 1, 2)], 0, settings, copies=1)
    right = 0
    for seed in (100, 101, 102):
        for label in (1, 2):
            one = recording(label, seed)
            (logits,) = trees.logits([one])
            assert logits.shape == (len(one.t_us), 3)
            end = int(np.flatnonzero(one.labels == label)[-1]) + round(2 * HOP_S * RATE)
            right += int(logits[end].argmax() == label)
            assert logits[5].tolist() == [0, 0, 0], "an answer before there is half a window"
            assert logits.max() <= 8 / FLOAT_Y_SCALE
    assert right >= 5
    assert trees.nodes > 1000


def test_the_same_seed_gives_the_same_trees(spec: ModelSpec) -> None:
    settings = Training()
    made = []
    for _ in range(2):
        trees = Trees(spec, 3)
        trees.train([recording(label, seed) for seed in range(4) for label in (0, 1, 2)], 0, settings, copies=1)
        made.append(trees.logits([recording(1, 50)])[0])
    assert np.array_equal(*made)
