"""Every shape is converted and generated once per test session."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest
from codegen_runs import SHAPES, Made, make_spec, quiet, random_tflite, write_run

from toolchain.board import Board, load_board
from toolchain.codegen.generate import generate
from toolchain.ltc.prepare import inputs_of


@pytest.fixture(scope="session")
def board() -> Board:
    return load_board("nrf52840")


@pytest.fixture(scope="session")
def make(tmp_path_factory: pytest.TempPathFactory, board: Board) -> Callable[[str], Made]:
    """Return the generated run of a shape by name; each is made once."""
    folder = tmp_path_factory.mktemp("codegen")
    known: dict[str, Made] = {}

    def by_name(name: str) -> Made:
        if name not in known:
            units, outputs, preparation = SHAPES[name]
            tflite = random_tflite(units, outputs, len(name) + len(units), inputs_of(preparation))
            spec = make_spec(board, units, outputs, tflite, preparation)
            run = write_run(folder / name, spec, tflite)
            generate(run, board, "compiled", quiet())
            other = write_run(folder / f"{name}-tflm", spec, tflite)
            generate(other, board, "tflm", quiet())
            known[name] = Made(run, other, board, spec, tflite, run.image.read_bytes(), folder / "libraries")
        return known[name]

    return by_name


@pytest.fixture(scope="session")
def two(make: Callable[[str], Made]) -> Made:
    """Two layers of 64, five outputs: the default network."""
    return make("two")


@pytest.fixture(scope="session")
def small(make: Callable[[str], Made]) -> Made:
    """Three layers of 8, 16 and 5, three outputs: odd widths, odd rows, a row that is no whole word."""
    return make("three")


@pytest.fixture(scope="session")
def arm_gcc() -> str:
    found = shutil.which("arm-none-eabi-gcc")
    if found is None:
        pytest.skip("arm-none-eabi-gcc is not installed")
    return found
