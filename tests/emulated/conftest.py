"""One small run through every stage, shared by the tests of this folder."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pytest
from random_run import random_run
from rich.console import Console
from small_project import small_project

from toolchain.board import Board, load_board
from toolchain.build import build
from toolchain.codegen.generate import generate
from toolchain.int8.convert import convert
from toolchain.ltc.train import train
from toolchain.runs import Run, open_run


@pytest.fixture(scope="session")
def board() -> Board:
    return load_board("nrf52840")


@pytest.fixture
def console() -> Console:
    return Console(file=io.StringIO(), width=200)


@pytest.fixture(scope="session")
def spine(tmp_path_factory: pytest.TempPathFactory, board: Board) -> Run:
    """A run from training to the built image."""
    for tool in ("cc", "arm-none-eabi-gcc"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    console = Console(file=io.StringIO(), width=200)
    run = open_run("spine", tmp_path_factory.mktemp("runs"))
    train(run, small_project(), board, console)
    convert(run, board, console)
    generate(run, board, "compiled", console)
    build(run, board, "compiled", console)
    return run


@pytest.fixture
def copy(spine: Run, tmp_path: Path) -> Run:
    """The same run in a folder of its own, to be spoiled."""
    shutil.copytree(spine.path, tmp_path / "copy", symlinks=True)
    return Run(tmp_path / "copy")


class Images(dict[str, Run]):
    """A run with random weights for each board, built once it is asked for."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def __missing__(self, name: str) -> Run:
        board, console = load_board(name), Console(quiet=True)
        run = random_run(self._folder / name, board, console, small_project())
        build(run, board, "compiled", console)
        self[name] = run
        return run


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Images:
    return Images(tmp_path_factory.mktemp("boards"))
