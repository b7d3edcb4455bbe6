"""Options that several commands share, the project that they choose, and the consoles that they print to."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from toolchain.ltc.modelspec import Cell
from toolchain.ltc.solvers import Solver
from toolchain.project import Project, load_project, project_for_data, with_options
from toolchain.runs import Run

console = Console()
errors = Console(stderr=True)

DEFAULT_BOARD = "nrf52840"
"""Of commands that work without a run."""

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


class EmulatorChoice(StrEnum):
    """The emulators that ``tinyltc run`` knows."""

    VIRTUAL = "virtual"
    QEMU = "qemu"
    RENODE = "renode"


class BenchEngine(StrEnum):
    """The engines that ``tinyltc bench step`` has rows of."""

    COMPILED = "compiled"
    TFLM = "tflm"
    AOT = "aot"


SolverName = Annotated[
    Solver | None, typer.Option("--solver", help="semi_implicit (any dt), exponential (any dt), euler or rk4.")
]
EmulatorOption = Annotated[
    EmulatorChoice | None, typer.Option("--emulator", help="Default: the first of the board's that boots it.")
]
EngineName = Annotated[Engine | None, typer.Option("--engine", help="Default: the project's engine.")]
CellName = Annotated[
    Cell | None, typer.Option("--cell", help="ltc, or for comparison only: ltc_state_tau, ltc_2021, cfc, gru, tcn.")
]


def project_of(data: str | None, project: Path | None, run: Run | None = None) -> Project:
    """Return the project of ``--project``, else of ``--data``, else of the run, else of the simulated set."""
    if project is not None:
        chosen = load_project(project)
        return with_options(chosen, data=data) if data else chosen
    if data is not None and not data.endswith(".npz"):
        return project_for_data(data)
    if data is not None:
        return with_options(project_for_data("npz"), path=Path(data))
    if run is not None and run.project_json.exists():
        return run.project()
    return project_for_data("wrist")
