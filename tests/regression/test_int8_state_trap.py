"""The state trap: at the article's dt = 0.01 per sample an int8 state freezes; the shipped path loses nothing.

Same weights, same windows, same decision for all: float; shipped (int8 right-hand side, float32 solver); all-int8 with
nothing but the state rounded; all-int8 as TFLM's own kernels compute it. The network is trained here, at dt = 0.01, on
the simulated set without its shortest gesture: a tap is over before so slow a network has seen it, and windows that
the float network itself cannot decide would fall either way under any change.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from dataclasses import dataclass

import numpy as np
import pytest
from rich.console import Console

from toolchain.board import load_board
from toolchain.int8.calibration import representative
from toolchain.int8.convert import quantize
from toolchain.int8.reference import Int8Reference
from toolchain.int8.state_trap import AllInt8
from toolchain.ltc.decision import decision_spec
from toolchain.ltc.evaluate import evaluate_windows, float_logits
from toolchain.ltc.modelspec import load_spec
from toolchain.ltc.step import FloatNetwork
from toolchain.ltc.weights import load_weights
from toolchain.project import project_for_data
from toolchain.recordings.catalog import load_set
from toolchain.runs import Run

DT = 0.01
"""Model time per sample (Hasani et al., 2021)."""
PEOPLE = 20


@dataclass(frozen=True)
class Outcome:
    """End-of-window accuracy of all of them over the same windows, and the share of state moves that rounding undid."""

    windows: int
    float_: float
    shipped: float
    all_int8: float
    through_tflm: float
    frozen: float


@pytest.fixture(scope="module")
def outcome(tmp_path_factory) -> Outcome:
    board = load_board("nrf52840")
    project = project_for_data("wrist")
    project.task.classes.remove("tap")
    project.data.people = PEOPLE
    project.model.layers = [32, 32]
    project.model.time_scale = DT * board.imu.rate_hz
    project.training.epochs, project.training.steps_per_epoch = 6, 60
    project.training.batch, project.training.learning_rate = 32, 0.01
    project.training.patience, project.training.max_seconds = 6, 600.0
    # What hardens a network against turned straps and narrow sensors belongs to the recipe, not to the trap.
    project.training.augmentation.half_turns = project.training.augmentation.clipped = 0.0

    from toolchain.ltc.train import train

    run = Run(tmp_path_factory.mktemp("trap"))
    train(run, project, board, Console(quiet=True))
    spec = load_spec(run.model_json)
    weights = load_weights(run.weights, spec)
    data = load_set(project.data, project.task, board.imu.rate_hz)
    spec, tflite = quantize(weights, spec, board, data)
    reference = Int8Reference(spec, tflite)
    states = representative(weights, spec, board.imu, data.train)
    scales = [float(np.abs(states[name]).max()) / 127 for name in ("h1", "h2")]
    kindest, tflm = AllInt8(reference, scales), AllInt8(reference, scales, through_tflm=True)

    recordings = [r for r in (*data.train, *data.validation, *data.test) if r.kind == "window"]
    decision = decision_spec(project.decision, data.background, spec.int8.y_scale)
    network = float_logits(FloatNetwork(weights, spec.tau_epsilon), spec, board.imu)
    logits = (network, *(each.logits(board.imu) for each in (reference, kindest, tflm)))
    accuracies = [evaluate_windows(recordings, each, spec, decision).accuracy for each in logits]
    return Outcome(len(recordings), *accuracies, kindest.frozen / kindest.moves)


def test_float_network_learned_something(outcome):
    assert outcome.float_ >= 0.8
    assert outcome.windows >= 900


def test_all_int8_step_loses_twenty_points(outcome):
    assert outcome.float_ - outcome.all_int8 >= 0.20


def test_so_does_the_step_as_tflm_runs_it(outcome):
    assert outcome.float_ - outcome.through_tflm >= 0.20


def test_shipped_path_loses_at_most_half_a_point(outcome):
    assert outcome.float_ - outcome.shipped <= 0.005


def test_the_reason_is_that_the_state_freezes(outcome):
    assert outcome.frozen >= 0.8
