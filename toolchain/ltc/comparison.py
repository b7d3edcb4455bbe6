"""Training and running the networks of :mod:`toolchain.ltc.cells`, which no engine and no numpy step computes.

They run in TensorFlow at the rate that they are trained at: a causal convolution counts samples, so the samples that
training leaves out are left out when it is scored, too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console

from toolchain.board import Board
from toolchain.files import replacing
from toolchain.ltc.batches import Preparer
from toolchain.ltc.cells import KINDS, Arrays
from toolchain.ltc.decision import decision_spec
from toolchain.ltc.evaluate import FLOAT_Y_SCALE, evaluate_windows
from toolchain.ltc.fit import Fit
from toolchain.ltc.modelspec import ModelSpec
from toolchain.ltc.tf import tf
from toolchain.ltc.train import Trained, fit_model
from toolchain.ltc.weights import Floats
from toolchain.project import Project
from toolchain.recordings.recording import DataSet, Recording

PIECE = 128
"""Samples that a network is run over at once; the state goes on."""
TOGETHER = 64
Run = Callable[[Sequence[Floats], Sequence[Floats]], list[npt.NDArray[np.integer]]]
"""x (T, inputs) and dt (T,) of recordings, as :class:`Preparer` gives them, to logits in steps of FLOAT_Y_SCALE."""


def train_comparison(
    project: Project, board: Board, data: DataSet, spec: ModelSpec, console: Console, checkpoint: Path
) -> Trained:
    """As :func:`toolchain.ltc.train.train_ltc`, of the project's cell."""
    prepare = Preparer(spec, board.imu, data.background, project.training)
    thinned = replace(
        data,
        train=thin(data.train, prepare.stride),
        validation=thin(data.validation, prepare.stride),
        test=thin(data.test, prepare.stride),
    )
    decision = decision_spec(project.decision, data.background, FLOAT_Y_SCALE)
    network, trial = (KINDS[spec.cell](spec.inputs, spec.units, len(spec.classes), project.training.seed) for _ in "ab")
    whole = {"validation": (thinned.validation, data.validation), "test": (thinned.test, data.test)}
    inputs = {part: [prepare(r, None) for r in full] for part, (_, full) in whole.items()}
    known = {
        id(short): made for part, (some, _) in whole.items() for short, made in zip(some, inputs[part], strict=True)
    }

    run = runner(trial)

    def logits(recordings: Sequence[Recording]) -> list[npt.NDArray[np.integer]]:
        return run([known[id(r)].x for r in recordings], [known[id(r)].dt for r in recordings])

    def accuracy(weights: Arrays) -> float:
        trial.set_from(weights)
        return evaluate_windows(thinned.validation, logits, spec, decision).accuracy

    made: Fit[Arrays] = fit_model(
        network, accuracy, project, board, data, spec, console, lambda weights: save_arrays(checkpoint, weights)
    )
    trial.set_from(made.weights)
    parameters = int(sum(value.size for value in made.weights.values()))
    return Trained(made, lambda path: save_arrays(path, made.weights), parameters, logits, thinned)


def save_arrays(path: Path, arrays: Arrays) -> None:
    """Write weights by name, whole or not at all."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def thin(recordings: Sequence[Recording], stride: int) -> tuple[Recording, ...]:
    """Return what a :class:`Preparer` of that stride leaves of recordings: every so many samples."""

    def one(recording: Recording) -> Recording:
        taken = slice((len(recording.t_us) - 1) % stride, None, stride)
        return replace(
            recording, samples=recording.samples[taken], t_us=recording.t_us[taken], labels=recording.labels[taken]
        )

    return tuple(one(recording) for recording in recordings)


def runner(network: Any) -> Run:
    """Return the function that runs recordings from rest; it is compiled once for the network."""
    step = tf.function(lambda x, dt, state: network.chunk(x, dt, state)[::2], jit_compile=True)

    def run(x: Sequence[Floats], dt: Sequence[Floats]) -> list[npt.NDArray[np.integer]]:
        result: list[npt.NDArray[np.integer]] = [np.empty(0, np.int32)] * len(x)
        order = np.argsort([len(one) for one in x], kind="stable").tolist()
        for first in range(0, len(order), TOGETHER):
            chosen = order[first : first + TOGETHER]
            # Padded in front with dt 0, which changes nothing.
            longest = -(-max(len(x[i]) for i in chosen) // PIECE) * PIECE
            some_x = np.zeros((TOGETHER, longest, x[0].shape[1]), np.float32)
            some_dt = np.zeros((TOGETHER, longest), np.float32)
            for row, index in enumerate(chosen):
                some_x[row, -len(x[index]) :], some_dt[row, -len(x[index]) :] = x[index], dt[index]
            state, parts = network.zero_state(TOGETHER), []
            for start in range(0, longest, PIECE):
                piece = slice(start, start + PIECE)
                logits, state = step(tf.constant(some_x[:, piece]), tf.constant(some_dt[:, piece]), state)
                parts.append(logits.numpy())
            whole = np.rint(np.concatenate(parts, axis=1) / FLOAT_Y_SCALE).astype(np.int32)
            for row, index in enumerate(chosen):
                result[index] = whole[row, -len(x[index]) :]
        return result

    return run
