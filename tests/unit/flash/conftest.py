"""A small built run, the board as the doubles have it, and a console to read."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from booted import Booted
from codegen_runs import quiet
from flash_support import small_run
from rich.console import Console

pytest.importorskip("unicorn", reason="needs the optional extra 'emulator'")
pytest.importorskip("pyocd", reason="needs the optional extra 'flash'")

from toolchain.board import Board, load_board
from toolchain.build import build
from toolchain.runs import Run


@pytest.fixture(scope="session")
def board() -> Board:
    return load_board("nrf52840")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, board: Board) -> Run:
    """A run of one small layer with random weights, built."""
    if shutil.which("arm-none-eabi-gcc") is None:
        pytest.skip("arm-none-eabi-gcc is not installed")
    run = small_run(tmp_path_factory.mktemp("runs") / "demo", board, seed=1)
    build(run, board, "compiled", quiet())
    return run


@pytest.fixture(scope="session")
def other(tmp_path_factory: pytest.TempPathFactory, board: Board) -> Run:
    """Another model of the same topology, generated only."""
    return small_run(tmp_path_factory.mktemp("runs") / "other", board, seed=2)


@pytest.fixture
def booted(built: Run, board: Board, tmp_path: Path) -> Iterator[Booted]:
    device = Booted(built, board, tmp_path / "port")
    yield device
    device.stop()


@pytest.fixture(autouse=True)
def _no_register_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """pyOCD opens its archive of register names for every target and leaves it open, which is a warning."""
    monkeypatch.setattr("pyocd.debug.svd.loader.SVDFile.from_builtin", lambda name: None)


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), width=300)
