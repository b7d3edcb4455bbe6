"""What several tests of this folder share."""

from __future__ import annotations

import io
from pathlib import Path

from codegen_runs import make_spec, quiet, random_tflite, write_run
from rich.console import Console

from toolchain.board import Board
from toolchain.codegen.generate import generate
from toolchain.runs import Run


def small_run(folder: Path, board: Board, seed: int) -> Run:
    tflite = random_tflite((8,), 3, seed)
    run = write_run(folder, make_spec(board, (8,), 3, tflite), tflite)
    generate(run, board, "compiled", quiet())
    return run


def said(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()
