"""A run with random weights, built once, and the portable firmware as host libraries."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path

import pytest
from firmware_host import FIRMWARE, FLAGS, HERE, Compile
from random_run import random_run
from rich.console import Console

from toolchain.board import Board, load_board
from toolchain.build import build
from toolchain.runs import Run


@pytest.fixture(scope="session")
def board() -> Board:
    return load_board("nrf52840")


@pytest.fixture(scope="session")
def console() -> Console:
    return Console(quiet=True)


@pytest.fixture(scope="session")
def generated_run(tmp_path_factory: pytest.TempPathFactory, board: Board, console: Console) -> Run:
    """Random weights of the default shape, converted and generated; not built."""
    return random_run(tmp_path_factory.mktemp("runs") / "random", board, console)


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
