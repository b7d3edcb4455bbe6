"""A run with random weights, built once, and the portable firmware as host libraries."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path

import numpy as np
import pytest
from firmware_host import FIRMWARE, FLAGS, HERE, Compile
from rich.console import Console

from toolchain.board import Board, load_board
from toolchain.build import build
from toolchain.codegen.generate import generate
from toolchain.int8.calibration import with_full_range
from toolchain.int8.flatbuffer import read_tflite
from toolchain.int8.graph import int8_tflite
from toolchain.int8.network import read_network
from toolchain.int8.reference import int8_spec
from toolchain.ltc.modelspec import DecisionSpec, ModelSpec, save_spec
from toolchain.ltc.weights import LayerWeights, Weights
from toolchain.project import project_for_data
from toolchain.runs import Run

UNITS, OUTPUTS = (64, 64), 5
STATE_SCALE = 2.0**-5  # 127 and 128 times it are exact in float32


@pytest.fixture(scope="session")
def board() -> Board:
    return load_board("nrf52840")


@pytest.fixture(scope="session")
def console() -> Console:
    return Console(quiet=True)


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


@pytest.fixture(scope="session")
def generated_run(tmp_path_factory: pytest.TempPathFactory, board: Board, console: Console) -> Run:
    """Random weights of the default shape, converted and generated; not built."""
    run = Run(tmp_path_factory.mktemp("runs") / "random")
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
    run.save_project(project_for_data("wrist"))
    generate(run, board, "compiled", console)
    return run


@pytest.fixture(scope="session")
def built_run(generated_run: Run, board: Board, console: Console) -> Run:
    """The same, built for the board: every warning is an error there."""
    build(generated_run, board, "compiled", console)
    return generated_run


@pytest.fixture(scope="session")
def compile_library(tmp_path_factory: pytest.TempPathFactory) -> Compile:
    """Compile sources (relative to firmware/ or to this folder) with the host's compiler and load them."""

    def compiled(*sources: str, include: Path | None = None) -> ctypes.CDLL:
        output = tmp_path_factory.mktemp("library") / "library.so"
        paths = [str(FIRMWARE / name if (FIRMWARE / name).exists() else HERE / name) for name in sources]
        includes = [f"-I{FIRMWARE}", *([f"-I{include}"] if include else [])]
        subprocess.run(["cc", *FLAGS, *includes, *paths, "-o", str(output)], check=True)
        return ctypes.CDLL(str(output))

    return compiled
