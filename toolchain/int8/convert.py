"""The stage ``convert``: from float weights to the int8 .tflite, the completed model.json, and the proof of both."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from typing import Any

from rich.console import Console

from toolchain.board import Board
from toolchain.errors import ModelError, ParityError
from toolchain.files import sha256_of, write_bytes, write_json
from toolchain.int8.calibration import choose_scale, representative, with_full_range
from toolchain.int8.flatbuffer import read_tflite
from toolchain.int8.graph import int8_tflite
from toolchain.int8.network import read_network
from toolchain.int8.parity import compare
from toolchain.int8.reference import Int8Reference, int8_spec
from toolchain.int8.tflm import ARENA_MARGIN, smallest_arena
from toolchain.int8.tune import tuned_decision
from toolchain.ltc.decision import in_float_steps
from toolchain.ltc.evaluate import FLOAT_Y_SCALE, evaluate_streams, evaluate_windows, float_logits
from toolchain.ltc.modelspec import ModelSpec, load_spec, save_spec
from toolchain.ltc.solvers import STABLE_UP_TO, Solver
from toolchain.ltc.step import FloatNetwork, require_stable_rates
from toolchain.ltc.weights import Weights, load_weights
from toolchain.recordings.catalog import load_set
from toolchain.recordings.recording import DataSet
from toolchain.runs import Run

PARITY_STREAMS = 4
"""So many streams of test people are compared sample by sample with float and with TFLM."""


def convert(run: Run, board: Board, console: Console, solver: Solver | None = None) -> None:
    """Quantize the run's network for ``board`` and write model.tflite, int8.json and the completed model.json.

    ``solver``: what the device shall integrate with from now on, if not the solver of model.json; every figure here is
    made with it. Deterministic: the same weights and data give the same bytes. Raises ModelError if the weights are
    missing, belong to another board, the converter makes anything but the graph of docs/SPEC.md, or the solver is
    unstable with the time constants of this network; ParityError if the int8 reference and TFLM differ in an output.
    """
    project = run.project()
    spec = load_spec(run.model_json)
    weights = load_weights(run.weights, spec)
    _check_board(spec, board)
    if solver is not None:
        spec = spec.model_copy(update={"solver": solver})
    data = load_set(project.data, project.task, board.imu.rate_hz)
    spec, tflite = quantize(weights, spec, board, data)
    reference = Int8Reference(spec, tflite)
    y_scale = reference.network.head.output_scale
    int8_logits = reference.logits(board.imu)
    decision, validation = tuned_decision(
        project.decision, data.background, y_scale, spec, int8_logits, data.validation, data.train
    )
    spec = spec.model_copy(update={"decision": decision})
    arena = smallest_arena(tflite, reference.network)

    # Float logits have their own step, and with it their own threshold; the smoothing is the same.
    float_decision = in_float_steps(decision, y_scale, FLOAT_Y_SCALE)
    float_network = float_logits(FloatNetwork(weights, spec.tau_epsilon, spec.solver), spec, board.imu)
    windows = evaluate_windows(data.test, int8_logits, spec, decision)
    float_windows = evaluate_windows(data.test, float_network, spec, float_decision)
    stream = evaluate_streams(data.test, int8_logits, spec, decision)
    to_float, to_tflm = compare(reference, weights, decision, tflite, board.imu, parity_streams(data))
    if to_tflm.mismatches:
        raise ParityError(
            f"The int8 reference and TFLM differ in {to_tflm.mismatches} outputs over {to_tflm.samples} samples.",
            "Check the installed version of tflite-micro against pyproject.toml.",
        )
    result: dict[str, Any] = {
        "source": "measured on host",
        "tflite_bytes": len(tflite),
        "sha256": hashlib.sha256(tflite).hexdigest(),
        "weights_sha256": sha256_of(run.weights),
        "parameters": weights.parameters,
        "solver": spec.solver,
        "arena": {"source": "measured on host (TFLM)", "smallest_bytes": arena, "margin_bytes": ARENA_MARGIN},
        "people_test": sorted(data.people(data.test)),
        "accuracy": {"float": float_windows.accuracy, "int8": windows.accuracy},
        "confusion": windows.confusion.tolist(),
        "stream": stream.to_dict(),
        "validation_stream": validation.to_dict() if validation is not None else None,
        "parity": {"float": asdict(to_float), "tflm": asdict(to_tflm)},
    }
    write_bytes(run.tflite, tflite)
    write_json(run.int8_json, result)
    save_spec(run.model_json, spec)
    _say(console, result)


def quantize(weights: Weights, spec: ModelSpec, board: Board, data: DataSet) -> tuple[ModelSpec, bytes]:
    """Return ``spec`` with its int8 part, and the .tflite, calibrated on the training people of ``data``.

    Raises ModelError if the solver is unstable with the rates that the int8 network can take.
    """
    # An unstable solver would leave the floats here; what refuses it are the rates of the network that this makes.
    bounded = spec.model_copy(update={"solver": "exponential"}) if spec.solver in STABLE_UP_TO else spec
    samples = representative(weights, bounded, board.imu, data.train)
    scale = choose_scale(weights, samples)
    tflite = int8_tflite(weights, with_full_range(weights, samples, scale), scale)
    network = read_network(read_tflite(tflite))
    spec = spec.model_copy(update={"int8": int8_spec(spec, network)})
    require_stable_rates(spec)
    return spec, tflite


def parity_streams(data: DataSet) -> list[Any]:
    """Return the test recordings that are compared sample by sample: long streams, or windows if there are none."""
    streams = [recording for recording in data.test if recording.kind == "stream"]
    return streams[:PARITY_STREAMS] or list(data.test[: 16 * PARITY_STREAMS])


def _check_board(spec: ModelSpec, board: Board) -> None:
    have = (board.imu.rate_hz, board.imu.acc_lsb, board.imu.gyro_lsb)
    if (spec.rate_hz, spec.acc_lsb, spec.gyro_lsb) != have:
        raise ModelError(
            f"The run was trained for another IMU than that of board '{board.name}'.",
            f"Train again for it: `tinyltc train --board {board.name}`.",
        )


def _say(console: Console, result: dict[str, Any]) -> None:
    accuracy, parity, stream = result["accuracy"], result["parity"], result["stream"]
    console.print(
        f"int8: {result['tflite_bytes']:,} bytes, accuracy {accuracy['int8']:.4f} (float {accuracy['float']:.4f}), "
        f"event recall {stream['event_recall']:.3f}, {stream['false_per_hour']:.1f} false per hour"
    )
    console.print(
        f"parity: {parity['float']['agreement']:.4f} of the samples agree with float over "
        f"{parity['float']['seconds']:.0f} s; {parity['tflm']['mismatches']} mismatches with TFLM over "
        f"{parity['tflm']['samples']:,} samples"
    )
