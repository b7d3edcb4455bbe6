"""Small networks, specs and a tiny data set for the tests of toolchain/ltc."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from toolchain.board import Board, load_board
from toolchain.ltc.modelspec import ModelSpec
from toolchain.ltc.weights import Weights, from_arrays, shapes
from toolchain.project import Project
from toolchain.recordings.recording import DataSet, Recording

RATE_HZ = 208.0


@pytest.fixture(scope="session")
def board() -> Board:
    return load_board("nrf52840")


@pytest.fixture(scope="session")
def make_weights() -> Callable[[list[int], int, int], Weights]:
    def make(units: list[int], outputs: int, seed: int) -> Weights:
        random = np.random.default_rng(seed)
        arrays = {
            name: (random.standard_normal(shape) * (0.5 if len(shape) == 2 else 1.0)).astype(np.float32)
            for name, shape in shapes(units, outputs).items()
        }
        return from_arrays(arrays, units, outputs)

    return make


@pytest.fixture(scope="session")
def spec(board: Board) -> ModelSpec:
    return ModelSpec(
        classes=["none", "up", "down"],
        units=[5, 4],
        rate_hz=RATE_HZ,
        period_us=4808,
        time_scale=40.0,
        dt_max_us=100_000,
        acc_lsb=board.imu.acc_lsb,
        gyro_lsb=board.imu.gyro_lsb,
        input_gain=[2.5e-4] * 3 + [2.7e-4] * 3,
        input_clip=4.0,
        tau_epsilon=0.05,
    )


def _draw(labels: np.ndarray, person: int, random: np.random.Generator) -> np.ndarray:
    """Turn labels into a signal that a small network can learn: up and down are turns of either sign about x."""
    samples = 0.1 * random.standard_normal((len(labels), 6)).astype(np.float32)
    samples[:, 2] += 9.81
    samples[:, 3] += np.choose(labels, [0.0, 5.0, -5.0]) * (1 + 0.05 * person)
    return samples


def _recording(labels: np.ndarray, person: int, random: np.random.Generator, kind: str) -> Recording:
    t_us = np.rint(np.arange(len(labels)) * 1e6 / RATE_HZ).astype(np.int64)
    return Recording(_draw(labels, person, random), t_us, labels, f"p{person}", kind=kind)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def tiny_set() -> DataSet:
    """Six people, 0.3 s windows of three classes, one stream of 4 s each."""
    parts = []
    for people in ((0, 1), (2, 3), (4, 5)):
        recordings = []
        for person in people:
            random = np.random.default_rng(person)
            for label in [0, 1, 2] * 4:
                labels = np.zeros(62, np.int16)
                labels[20:55] = label
                recordings.append(_recording(labels, person, random, "window"))
            labels = np.zeros(832, np.int16)
            for start, label in zip(range(50, 780, 120), [1, 2, 1, 2, 2, 1, 2], strict=True):
                labels[start : start + 35] = label
            recordings.append(_recording(labels, person, random, "stream"))
        parts.append(tuple(recordings))
    return DataSet("tiny", ("none", "up", "down"), 0, *parts, source="simulated", licence="none")


@pytest.fixture(scope="session")
def tiny_project() -> Project:
    return Project.model_validate(
        {
            "task": {"name": "tiny", "classes": ["none", "up", "down"], "background": "none"},
            "data": {"set": "tiny"},
            "model": {"layers": [8, 8], "time_scale": 40.0},
            "training": {
                "epochs": 3,
                "steps_per_epoch": 25,
                "batch": 16,
                "learning_rate": 0.02,
                "max_seconds": 600.0,
                "label_smoothing": 0.05,
                "motion_weight": 1.0,
                "hold_s": 0.25,
                "rate_hz": 100.0,
            },
        }
    )
