"""``tinyltc bench step``: which rows the table has, and their figures.

A new engine or option is one more :class:`Row`: its names, and a function that compiles a bench image into a folder.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from rich.console import Console

from toolchain.bench.aot import aot_graph_image
from toolchain.bench.figures import BenchImage, Figures, measure
from toolchain.bench.graph import tflm_graph_image
from toolchain.bench.recognizer import recognizer_image
from toolchain.bench.reference_run import OUTPUTS, UNITS, write_reference_run
from toolchain.board import Board
from toolchain.build import Tflm, find_tflm
from toolchain.errors import ConfigError, ModelError
from toolchain.ltc.modelspec import ModelSpec, load_spec
from toolchain.runs import Run

OUT = Path("runs/bench")
ENGINES = ("compiled", "tflm", "aot")
"""``aot``: the C that `tinyltc generate MODEL.tflite` makes, for each graph beside TensorFlow Lite Micro's row."""
SOLVERS: tuple[str, ...] = get_args(ModelSpec.model_fields["solver"].annotation)
"""Every solver that a model may name; the first is the default."""


@dataclass(frozen=True)
class Row:
    """One row. ``make`` compiles its image into the folder it is given; ``optional``: a ModelError only skips it."""

    engine: str
    folder: str
    make: Callable[[Path], BenchImage]
    optional: bool = False


def bench_step(
    board: Board,
    console: Console,
    *,
    run: Run | None = None,
    layers: Sequence[int] = UNITS,
    engine: str | None = None,
    tflite: Sequence[Path] = (),
    out: Path = OUT,
) -> list[Figures]:
    """Build and measure every row; the ELF files stay under ``out``. What is skipped is told on ``console``.

    ``run``: a converted run; without it a network of ``layers`` with random weights. ``engine`` keeps the rows of one
    engine. ``tflite``: further graphs to measure whole, as C made ahead of time (skipped where the compiler refuses it)
    and under TensorFlow Lite Micro. Raises ConfigError for an unknown engine or engine ``aot`` without a graph,
    MissingToolError without gcc or Unicorn, BuildError for a TFLM_DIR that is no built checkout, ModelError for a run
    that is not converted or a graph that does not exist, ParityError for an image with wrong outputs.
    """
    if engine is not None and engine not in ENGINES:
        raise ConfigError(f"There is no engine '{engine}'.", f"Engines: {', '.join(ENGINES)}.")
    if engine == "aot" and not tflite:
        raise ConfigError("Engine 'aot' measures graphs, and none is given.", "Name one: --tflite MODEL.tflite")
    for path in tflite:
        if not path.is_file():
            raise ModelError(f"{path} does not exist.", "Name a .tflite file.")
    source = run or write_reference_run(out / "network", board, tuple(layers), OUTPUTS)
    # TFLM_DIR is looked at once, and only where a row needs it.
    tflm = _tflm(console) if engine in (None, "tflm") else None
    found = []
    for row in _rows(source, board, tflm, tflite, solvers=SOLVERS if run is None else ()):
        if engine in (None, row.engine):
            console.print(f"measuring {row.folder}")
            try:
                found.append(measure(row.make(out / row.folder)))
            except ModelError as error:
                if not row.optional:
                    raise
                console.print(f"Skipped {row.folder}: {error}", soft_wrap=True, markup=False)
    return found


def _tflm(console: Console) -> Tflm | None:
    folder = os.environ.get("TFLM_DIR", "")
    if not folder:
        console.print("Skipped the rows of TensorFlow Lite Micro: TFLM_DIR is not set.")
        return None
    return find_tflm(folder)


def _rows(
    source: Run, board: Board, tflm: Tflm | None, tflite: Sequence[Path], *, solvers: Sequence[str]
) -> Iterator[Row]:
    """Every row in the table's order; ``solvers`` beside the network's own."""
    own = load_spec(source.model_json).solver

    def recognizer(engine: str, option: str, solver: str, *, in_ram: bool = False) -> Callable[[Path], BenchImage]:
        return lambda folder: recognizer_image(
            folder,
            source,
            board,
            engine,
            option,
            solver=solver,
            weights_in_ram=in_ram,
            tflm=tflm if engine == "tflm" else None,
        )

    yield Row("compiled", "compiled-flash", recognizer("compiled", f"{own}, weights in flash", own))
    yield Row("compiled", "compiled-ram", recognizer("compiled", f"{own}, weights in RAM", own, in_ram=True))
    for solver in solvers:
        if solver != own:
            option = f"{solver}, weights in flash"
            yield Row("compiled", f"compiled-{solver}", recognizer("compiled", option, solver), optional=True)
    if tflm is not None:
        yield Row("tflm", "tflm", recognizer("tflm", f"{own}, same right-hand side", own))
    stems = [path.stem for path in tflite]
    for number, path in enumerate(tflite, 1):
        name = path.stem if stems.count(path.stem) == 1 else f"{path.stem}-{number}"
        yield from _graph_rows(path, name, tflm)


def _graph_rows(path: Path, name: str, tflm: Tflm | None) -> Iterator[Row]:
    yield Row("aot", f"aot-{name}", lambda folder: aot_graph_image(folder, path), optional=True)
    if tflm is not None:
        yield Row("tflm", f"tflm-{name}", lambda folder: tflm_graph_image(folder, path, tflm))
