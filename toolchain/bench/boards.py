"""Builds the firmware of every board with a network that nobody had to train: what continuous integration runs."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from toolchain.bench.reference_run import write_reference_run
from toolchain.board import Board
from toolchain.build import build
from toolchain.codegen.generate import generate
from toolchain.errors import BuildError, TinyLtcError
from toolchain.files import read_json


@dataclass(frozen=True)
class Built:
    """One board's build: sizes in bytes, seconds of wall time."""

    board: str
    flash_bytes: int
    ram_bytes: int
    seconds: float


def build_board(board: Board, folder: Path, engine: str = "compiled") -> Built:
    """Generate and build a random network for ``board`` in ``folder``; raises what ``generate`` and ``build`` do."""
    begin = time.monotonic()
    run = write_reference_run(folder, board)
    quiet = Console(quiet=True)
    generate(run, board, engine, quiet)
    build(run, board, engine, quiet)
    report = read_json(run.firmware / "build.json", BuildError, "Build it again.")
    return Built(board.name, report["flash_bytes"], report["ram_bytes"], time.monotonic() - begin)


def build_boards(boards: Iterable[Board], console: Console) -> list[Built]:
    """Build every board; all are tried. Raises BuildError that names those that failed, with the first reason."""
    built, failed = [], []
    with tempfile.TemporaryDirectory(prefix="tinyltc-boards-") as folder:
        for board in boards:
            try:
                one = build_board(board, Path(folder) / board.name)
            except TinyLtcError as error:
                failed.append((board.name, error))
                console.print(f"{board.name}: {error}", markup=False)
                continue
            built.append(one)
            sizes = f"{one.flash_bytes:,} bytes of flash, {one.ram_bytes:,} of RAM"
            console.print(f"{board.name}: {sizes}, {one.seconds:.1f} s")
    if failed:
        names = ", ".join(name for name, _ in failed)
        raise BuildError(f"These boards do not build: {names} ({failed[0][1].what}).", failed[0][1].hint)
    console.print(f"{len(built)} boards built in {sum(one.seconds for one in built):.0f} s")
    return built
