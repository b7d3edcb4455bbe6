"""The tool, and a small network whose generated C is proven."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from cbmc_tool import find_cbmc
from codegen_runs import make_spec, quiet, random_tflite, write_run

from toolchain.board import load_board
from toolchain.codegen.generate import generate, load_sources
from toolchain.codegen.hostlib import FIRMWARE
from toolchain.codegen.kernels import pack
from toolchain.runs import Run


@pytest.fixture(scope="session")
def cbmc() -> str:
    return find_cbmc()


def _make(folder: Path, units: tuple[int, ...], outputs: int) -> tuple[Path, ...]:
    """Return the include folders of a generated network of random weights; kern.h holds its KERN section."""
    board = load_board("nrf52840")
    tflite = random_tflite(units, outputs, seed=1)
    run: Run = write_run(folder, make_spec(board, units, outputs, tflite), tflite)
    generate(run, board, "compiled", quiet())
    words = memoryview(pack(load_sources(run).network)).cast("I")
    text = ", ".join(f"{word}u" for word in words)
    (run.generated / "kern.h").write_text(f"#include <stdint.h>\nstatic const uint32_t kern[] = {{{text}}};\n")
    return run.generated, FIRMWARE / "engine" / "compiled"


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    """Six inputs, two layers of 3 and 2, two outputs: odd rows, rows that are no whole word."""
    return _make(tmp_path_factory.mktemp("proof") / "small", (3, 2), 2)


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    """Six inputs, one layer of 8, eight outputs: every part is whole groups of rows and whole words."""
    return _make(tmp_path_factory.mktemp("proof") / "whole", (8,), 8)


@pytest.fixture(scope="session")
def larger(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    """Two layers of 8 and 5, three outputs."""
    return _make(tmp_path_factory.mktemp("proof") / "larger", (8, 5), 3)


@pytest.fixture
def firmware_copy(tmp_path: Path) -> Path:
    """A copy of the firmware, to be spoiled."""
    copy = tmp_path / "firmware"
    for folder in ("core", "engine"):
        shutil.copytree(FIRMWARE / folder, copy / folder)
    return copy
