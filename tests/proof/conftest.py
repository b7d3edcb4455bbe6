"""The tool, and small networks whose generated C is proven."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path

import pytest
from cbmc_tool import Networks, find_cbmc
from codegen_runs import make_spec, quiet, random_tflite, write_run
from solver_runs import CALM

from toolchain.board import load_board
from toolchain.codegen.generate import generate
from toolchain.codegen.hostlib import FIRMWARE
from toolchain.ltc.modelspec import ModelSpec
from toolchain.ltc.solvers import Solver
from toolchain.runs import Run


@pytest.fixture(scope="session")
def cbmc() -> str:
    return find_cbmc()


NETWORKS: dict[str, tuple[tuple[int, ...], int]] = {
    "least": ((2,), 2),
    # Odd rows, rows that are no whole word; nothing is a whole group of eight.
    "small": ((3, 2), 2),
    # Every part is whole groups of rows and whole words.
    "whole": ((8,), 8),
    # A whole group and a broken one, several layers.
    "larger": ((8, 5), 3),
    # Two values of x stand apart from the quads (toolchain/codegen/topology.py).
    "paired": ((64,), 2),
}
"""Units of each layer, outputs; six inputs."""


@pytest.fixture(scope="session")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Networks:
    """Generated networks of random weights, each made once."""

    @cache
    def make(name: str, solver: Solver = "semi_implicit") -> tuple[Path, ...]:
        units, outputs = NETWORKS[name]
        board = load_board("nrf52840")
        tflite = random_tflite(units, outputs, seed=1)
        spec = make_spec(board, units, outputs, tflite)
        spec = ModelSpec.model_validate(spec.model_dump() | CALM | {"solver": solver})
        run: Run = write_run(tmp_path_factory.mktemp("proof") / name, spec, tflite)
        generate(run, board, "compiled", quiet())
        return (run.generated,)

    return make


@pytest.fixture
def firmware_copy(tmp_path: Path) -> Path:
    """A copy of the firmware, to be spoiled."""
    copy = tmp_path / "firmware"
    for folder in ("core", "engine"):
        shutil.copytree(FIRMWARE / folder, copy / folder)
    return copy
