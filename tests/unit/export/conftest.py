"""Small networks with their runs, and streams for them."""

from __future__ import annotations

import os

# Small matrices: threads of the linear algebra library cost more than they bring.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from pathlib import Path

import numpy as np
import pytest

from toolchain.bench.reference_run import write_reference_run
from toolchain.board import Board, load_board
from toolchain.ltc.modelspec import ModelSpec, load_spec
from toolchain.ltc.weights import Weights, from_arrays, save_weights, shapes
from toolchain.recordings.recording import Recording
from toolchain.runs import Run

UNITS = (7, 5)


@pytest.fixture(scope="session")
def board() -> Board:
    return load_board("nrf52840")


def random_weights(spec: ModelSpec, seed: int = 1) -> Weights:
    random = np.random.default_rng(seed)
    arrays = {
        name: (random.standard_normal(shape) * (0.4 if len(shape) == 2 else 0.5)).astype(np.float32)
        for name, shape in shapes(spec.units, len(spec.classes), spec.inputs).items()
    }
    return from_arrays(arrays, spec.units, len(spec.classes), spec.inputs)


@pytest.fixture
def run(tmp_path: Path, board: Board) -> Run:
    """A converted run of random weights; its int8 graph is another network of the same shape."""
    made = write_reference_run(tmp_path / "runs" / "made", board, UNITS, 5, preparation="difference")
    spec = load_spec(made.model_json)
    project = made.project()
    task = project.task.model_copy(update={"classes": spec.classes, "background": spec.classes[0]})
    made.save_project(project.model_copy(update={"task": task}))
    save_weights(made.weights, random_weights(spec))
    return made


@pytest.fixture
def spec(run: Run) -> ModelSpec:
    return load_spec(run.model_json)


@pytest.fixture
def weights(spec: ModelSpec) -> Weights:
    return random_weights(spec)


@pytest.fixture(scope="session")
def streams() -> list[Recording]:
    """Three streams of unequal length and irregular stamps, one with a gap."""
    made = []
    for person, length in enumerate((700, 400, 650)):
        random = np.random.default_rng(person)
        walk = np.cumsum(random.standard_normal((length, 6)), axis=0)
        step = random.integers(3000, 7000, length)
        if person == 1:
            step[200] = 900_000
        samples = np.clip(walk, -15, 15).astype(np.float32)
        t_us = np.cumsum(step).astype(np.int64)
        made.append(Recording(samples, t_us, np.zeros(length, np.int16), f"p{person}", kind="stream"))
    return made
