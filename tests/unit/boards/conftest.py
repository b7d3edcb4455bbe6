"""Generated C of a network that nobody trained, for any board."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from rich.console import Console

from toolchain.bench.reference_run import write_reference_run
from toolchain.board import Board
from toolchain.codegen.generate import generate
from toolchain.runs import Run

Generated = Callable[[Board], Run]


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Generated:
    def made(board: Board) -> Run:
        run = write_reference_run(tmp_path_factory.mktemp(board.name), board, units=(8, 8))
        generate(run, board, "compiled", Console(quiet=True))
        return run

    return made
