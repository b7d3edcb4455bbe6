"""Generated C and a model image of one small network, compared with files in codegen/ byte for byte.

A difference here is a change of the format or of the templates. If it is meant, write the files anew with
`TINYLTC_WRITE_GOLDEN=1 pytest tests/golden`, read the difference, and think of docs/SPEC.md and the topology string.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import numpy as np
import pytest

import toolchain
from toolchain.board import Board
from toolchain.codegen.generate import Sources, make_image, render
from toolchain.codegen.image import parse
from toolchain.codegen.kernels import topology_of
from toolchain.int8.flatbuffer import TfliteModel
from toolchain.int8.network import Dense, Layer, Network
from toolchain.int8.ops.lookup import tanh_table
from toolchain.ltc.modelspec import DecisionSpec, Int8Spec, ModelSpec
from toolchain.project import project_for_data

GOLDEN = Path(__file__).parent / "codegen"
FILES = ("topology.h", "engine_compiled.h", "engine_compiled.c", "board_config.h", "model_tflite.h", "model_tflite.c")


def dense(name: str, rows: int, inputs: int) -> Dense:
    """Numbers that anyone can write down: no random generator, no converter."""
    weights = ((np.arange(rows * inputs).reshape(rows, inputs) * 37) % 255 - 127).astype(np.int8)
    bias = (np.arange(rows) * 1000 - 1500).astype(np.int32)
    return Dense(name, weights, bias, 0.01, 0.05, rows - inputs, (1 << 30) + 12345 * rows, -inputs)


def sources() -> Sources:
    layer = Layer(dense("f1", 3, 9), dense("z1", 3, 6), tanh_table(0.05, -6))
    network = Network(0.0078125, (layer,), dense("y", 2, 3), {"x": 0, "h1": 1}, {"f1": 0, "z1": 1, "y": 2})
    spec = ModelSpec(
        classes=["none", "wave"],
        units=[3],
        rate_hz=208.0,
        period_us=4808,
        time_scale=40.0,
        dt_max_us=100_000,
        acc_lsb=golden_board().imu.acc_lsb,
        gyro_lsb=golden_board().imu.gyro_lsb,
        input_gain=[1e-4] * 6,
        input_clip=1.0,
        tau_epsilon=0.0625,
        decision=DecisionSpec(
            background=0,
            smoothing_us=33_656,
            confirm_us=50_000,
            holdoff_us=600_000,
            warmup_us=100_000,
            threshold=500,
            threshold_of={1: 700},
        ),
        int8=Int8Spec(
            state_scale=0.0078125,
            z_scale=[0.0625],
            z_zero_point=[-3],
            y_scale=0.05,
            y_zero_point=-1,
            prepare_multiplier=[838, 839, 840, 841, 842, 32767],
        ),
    )
    tflite = b"golden" + bytes(range(34))
    return Sources(spec, tflite, TfliteModel((), (), (), ()), network, topology_of(network))


def golden_board() -> Board:
    return Board.model_validate(tomllib.loads((GOLDEN / "board.toml").read_text()))


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    monkeypatch.setattr(toolchain, "__version__", "0.0.0")
    rendered = render(sources(), golden_board(), "compiled", project_for_data("wrist"))
    files = {name: text.encode() for name, text in rendered.items() if name in FILES}
    files["model.bin"] = make_image(sources(), golden_board(), "compiled")
    if os.environ.get("TINYLTC_WRITE_GOLDEN"):
        for name, data in files.items():
            (GOLDEN / name).write_bytes(data)
    return files


def test_files_are_those_of_the_golden_folder(made: dict[str, bytes]) -> None:
    assert sorted(made) == sorted((*FILES, "model.bin"))
    for name, data in made.items():
        assert data == (GOLDEN / name).read_bytes(), name


def test_the_golden_image_still_opens() -> None:
    """Images already on devices must stay readable as long as the format version is 3."""
    board = golden_board()
    image = parse((GOLDEN / "model.bin").read_bytes(), sources().topology, board.imu.acc_lsb, board.imu.gyro_lsb)
    assert image.labels == ("none", "wave")
    assert image.multipliers.tolist() == [838, 839, 840, 841, 842, 32767]
    assert image.topology.hash.hex() == "7f7d7c7d6f16fe75"
