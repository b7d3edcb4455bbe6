"""A run with random weights in place of a trained one: made in a moment, and whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from rich.console import Console

from toolchain.board import Board
from toolchain.codegen.generate import generate
from toolchain.int8.calibration import with_full_range
from toolchain.int8.flatbuffer import read_tflite
from toolchain.int8.graph import int8_tflite
from toolchain.int8.network import read_network
from toolchain.int8.reference import int8_spec
from toolchain.ltc.modelspec import DecisionSpec, ModelSpec, save_spec
from toolchain.ltc.weights import LayerWeights, Weights
from toolchain.project import Project, project_for_data
from toolchain.runs import Run

UNITS, OUTPUTS = (64, 64), 5
STATE_SCALE = 2.0**-5  # 127 and 128 times it are exact in float32


def _random_weights(rng: np.random.Generator) -> Weights:
    def values(*shape: int, size: float) -> np.ndarray:
        return (rng.standard_normal(shape) * size).astype(np.float32)

    layers, inputs = [], 6
    for units in UNITS:
        rows = inputs + units
        layers.append(
            LayerWeights(
                w=values(rows, units, size=rows**-0.5),
                b=values(units, size=0.1),
                v=values(inputs, units, size=inputs**-0.5),
                c=values(units, size=0.3),
            )
        )
        inputs = units
    return Weights(tuple(layers), values(inputs, OUTPUTS, size=1.5), values(OUTPUTS, size=0.1))


def random_run(folder: Path, board: Board, console: Console, project: Project | None = None) -> Run:
    """Random weights of the default shape in ``folder``, converted and generated for ``board``; not built."""
    run = Run(folder)
    run.path.mkdir()
    rng = np.random.default_rng(1)
    weights = _random_weights(rng)
    samples = {
        name: rng.standard_normal((64, width)).astype(np.float32) for name, width in (("x", 6), ("h1", 64), ("h2", 64))
    }
    tflite = int8_tflite(weights, with_full_range(weights, samples, STATE_SCALE), STATE_SCALE)
    spec = ModelSpec(
        classes=[f"class {index}" for index in range(OUTPUTS)],
        units=list(UNITS),
        rate_hz=board.imu.rate_hz,
        period_us=board.imu.period_us,
        time_scale=10.0,
        dt_max_us=50_000,
        acc_lsb=board.imu.acc_lsb,
        gyro_lsb=board.imu.gyro_lsb,
        input_gain=[board.imu.acc_lsb / 10] * 3 + [board.imu.gyro_lsb / 4] * 3,
        input_clip=4.0,
        tau_epsilon=0.05,
        decision=DecisionSpec(
            background=0, smoothing_us=5_000, confirm_us=0, holdoff_us=100_000, warmup_us=50_000, threshold=200
        ),
    )
    run.tflite.write_bytes(tflite)
    save_spec(run.model_json, spec.model_copy(update={"int8": int8_spec(spec, read_network(read_tflite(tflite)))}))
    run.save_project(project or project_for_data("wrist"))
    generate(run, board, "compiled", console)
    return run
