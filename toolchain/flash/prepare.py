"""What flashing needs and is not there yet: the stages before it, run in order."""

from __future__ import annotations

from rich.console import Console

from toolchain.board import Board
from toolchain.build import build
from toolchain.codegen.generate import generate
from toolchain.errors import ModelError
from toolchain.int8.convert import convert
from toolchain.ltc.train import train
from toolchain.project import project_for_data, with_options
from toolchain.runs import Run

DEFAULT_RUN = "demo"
DEFAULT_DATA = "wrist"


def prepare(run: Run, board: Board, engine: str | None, console: Console, model_only: bool) -> None:
    """Make the image of ``run`` for ``board``: train (the default run only), convert, generate, build.

    Training takes minutes and needs a task, so a name that is no run is not taken for one, except the demo's. Generated
    code and firmware are made anew each time: seconds, and what is flashed is then what the sources say.
    ``engine``: None is the project's. Raises ModelError for a run that does not exist; what the stages raise.
    """
    if not run.weights.exists():
        if run.path.name != DEFAULT_RUN:
            known = ", ".join(sorted(path.parent.name for path in run.path.parent.glob("*/model.npz"))) or "none"
            raise ModelError(
                f"There is no trained run '{run.path.name}' (runs: {known}).",
                f"Train it: `tinyltc train --run {run.path.name} --data ...`; only '{DEFAULT_RUN}' is trained unasked.",
            )
        console.print(f"There is no run '{DEFAULT_RUN}' yet: training it on the simulated set '{DEFAULT_DATA}'")
        project = with_options(project_for_data(DEFAULT_DATA), board=board.name)
        if train(run, project, board, console) == "interrupted":
            raise KeyboardInterrupt
    if not run.tflite.exists() or not run.int8_json.exists():
        convert(run, board, console)
    chosen = engine or run.project().target.engine
    generate(run, board, chosen, console)
    if not model_only:
        build(run, board, chosen, console)
