"""Options that several commands share, and the consoles that they print to."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from toolchain.ltc.solvers import Solver

console = Console()
errors = Console(stderr=True)

RunName = Annotated[str, typer.Option("--run", help="Name of the run: the folder runs/NAME.")]
DataName = Annotated[
    str | None,
    typer.Option("--data", help="Data set: wrist (simulated), grwd, uhh, spsw, spar (real), npz or csv with --path."),
]
DataPath = Annotated[Path | None, typer.Option("--path", help="The file of the data set.")]
Fold = Annotated[str | None, typer.Option("--fold", help="k/n: the test people are fold k of n, such as 2/4.")]
ProjectFile = Annotated[Path | None, typer.Option("--project", help="A tinyltc.toml instead of the data set's own.")]
BoardName = Annotated[str | None, typer.Option("--board", help="A folder of boards/; default: the project's board.")]
Seconds = Annotated[float | None, typer.Option("--seconds", min=1.0, help="At most this much virtual time.")]


class Engine(StrEnum):
    """The engines that firmware can be built with."""

    COMPILED = "compiled"
    TFLM = "tflm"


class BenchEngine(StrEnum):
    """The engines that ``tinyltc bench step`` has rows of."""

    COMPILED = "compiled"
    TFLM = "tflm"
    AOT = "aot"


SolverName = Annotated[
    Solver | None, typer.Option("--solver", help="semi_implicit (any dt), exponential (any dt), euler or rk4.")
]
EngineName = Annotated[Engine | None, typer.Option("--engine", help="Default: the project's engine.")]
