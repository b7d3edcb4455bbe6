"""The ``tinyltc`` command: commands and their options, no logic.

Every stage reads what the stage before it wrote under ``runs/<name>/`` and can be rerun alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

import toolchain
from toolchain.board import load_board
from toolchain.commands.compare import app as comparing
from toolchain.commands.listen import app as listening
from toolchain.commands.options import (
    BenchEngine,
    BoardName,
    DataName,
    DataPath,
    Engine,
    EngineName,
    Fold,
    ProjectFile,
    RunName,
    Seconds,
    SolverName,
    console,
    errors,
)
from toolchain.errors import ConfigError, TinyLtcError
from toolchain.project import Project, load_project, project_for_data, with_options
from toolchain.runs import Run, open_run

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="Liquid time-constant networks on microcontrollers: data, train, convert, generate, build, run, report.\n\n"
    "Example: [bold]tinyltc all --data wrist --run demo[/bold]",
)
bench = typer.Typer(no_args_is_help=True, help="What the generated code costs.")
app.add_typer(bench, name="bench")
app.add_typer(comparing)
app.add_typer(listening)


def _version(wanted: bool) -> None:
    if wanted:
        console.print(f"tinyltc {toolchain.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,
) -> None: ...


def _project(data: str | None, project: Path | None, run: Run | None = None) -> Project:
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


def _board_and_engine(run: Run, board: str | None, engine: Engine | None) -> tuple[str, str]:
    target = run.project().target
    return board or target.board, str(engine) if engine else target.engine


@app.command(epilog="Example: tinyltc data --data wrist --run demo")
def data(
    run: RunName = "demo",
    data: DataName = None,
    path: DataPath = None,
    project: ProjectFile = None,
    export: Annotated[Path | None, typer.Option("--export", help="Also write the recordings to this .npz.")] = None,
) -> None:
    """Show a data set: who, what, how long, and a picture of one example of every class."""
    from toolchain.recordings.catalog import resolved
    from toolchain.recordings.show import show_set

    target = open_run(run)
    chosen = with_options(_project(data, project, target), path=path)
    board = load_board(chosen.target.board)
    show_set(target, resolved(chosen, board.imu.rate_hz), board, console, export)


@app.command(epilog="Example: tinyltc train --data wrist --run demo --layers 64,64")
def train(
    run: RunName = "demo",
    data: DataName = None,
    path: DataPath = None,
    fold: Fold = None,
    project: ProjectFile = None,
    layers: Annotated[str | None, typer.Option(help="Widths of the layers, such as 64,64.")] = None,
    epochs: Annotated[int | None, typer.Option(min=1)] = None,
    seed: Annotated[int | None, typer.Option()] = None,
    max_seconds: Annotated[float | None, typer.Option(min=1.0, help="Stop training after this long.")] = None,
    board: BoardName = None,
    solver: SolverName = None,
    start: Annotated[
        str | None, typer.Option("--from", help="A finished run to start from; --data is then a .npz of your own.")
    ] = None,
) -> str:
    """Train the float network. Ctrl-C keeps the best weights so far."""
    from toolchain.ltc.adapt import adapted_project, own_file, start_weights
    from toolchain.ltc.train import train as train_stage
    from toolchain.recordings.catalog import resolved

    first = adapted_project(open_run(start), own_file(data, path)) if start else _project(data, project)
    chosen = with_options(
        first,
        path=None if start else path,
        fold=fold,
        layers=layers,
        epochs=epochs,
        seed=seed,
        max_seconds=max_seconds,
        board=board,
        solver=solver,
    )
    target = load_board(chosen.target.board)
    begin = start_weights(open_run(start), chosen.task.classes) if start else None
    return train_stage(open_run(run), resolved(chosen, target.imu.rate_hz), target, console, begin)


@app.command(epilog="Example: tinyltc convert --run demo")
def convert(run: RunName = "demo", solver: SolverName = None) -> None:
    """Convert to the int8 .tflite, prove it against float and TFLM, tune the decision stage.

    With --solver the device integrates with another solver than the one that the network was trained with.
    """
    from toolchain.int8.convert import convert as convert_stage

    target = open_run(run)
    convert_stage(target, load_board(target.project().target.board), console, solver)


@app.command(epilog="Example: tinyltc evaluate grwd --data grwd --drop 0.5")
def evaluate(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="Finished runs; folds and seeds are added up.")],
    data: DataName = None,
    path: DataPath = None,
    people: Annotated[
        str | None, typer.Option(help="Whom to score, such as 13,18; default: people it never saw.")
    ] = None,
    rate: Annotated[float | None, typer.Option(help="Feed it at this rate instead of the model's, in Hz.")] = None,
    native: Annotated[
        bool, typer.Option("--native", help="Feed it with the recordings' own irregular stamps.")
    ] = False,
    drop: Annotated[float, typer.Option(help="Fraction of the samples that are lost at random.")] = 0.0,
    fixed_rate: Annotated[
        bool, typer.Option("--fixed-rate", help="Tell it the rate that it was trained at, whatever the stamps say.")
    ] = False,
    use_float: Annotated[
        bool, typer.Option("--float", help="The float network instead of the int8 reference.")
    ] = False,
    board: BoardName = None,
) -> None:
    """Score finished runs on any set: accuracy and streaming, by person, with intervals and pictures."""
    from toolchain.evaluation.conditions import Conditions
    from toolchain.evaluation.evaluate import Asked
    from toolchain.evaluation.evaluate import evaluate as evaluate_stage

    conditions = Conditions(rate, native, drop, fixed_rate)
    names = tuple(name.strip() for name in people.split(",") if name.strip()) if people else ()
    asked = Asked(data, path, names, conditions, use_float)
    evaluate_stage([open_run(name) for name in runs], asked, console, load_board(board) if board else None)


@app.command(name="evaluate-all", epilog="Example: tinyltc evaluate-all --only grwd-folds")
def evaluate_all(
    only: Annotated[str | None, typer.Option(help="Keys of rows, such as grwd,uhh; default: all.")] = None,
    train_missing: Annotated[bool, typer.Option("--train/--no-train", help="Make the runs that are missing.")] = True,
) -> None:
    """Reproduce the table of figures: runs/evaluate/figures.json. Ctrl-C keeps what is done; start it again."""
    from toolchain.evaluation.everything import evaluate_all as evaluate_all_stage

    keys = [key.strip() for key in only.split(",") if key.strip()] if only else []
    evaluate_all_stage(Path("runs"), console, _make_run if train_missing else None, keys)


def _make_run(run: Run, project: Project, output: Console) -> None:
    from toolchain.int8.convert import convert as convert_stage
    from toolchain.ltc.train import train as train_stage

    board = load_board(project.target.board)
    if train_stage(run, project, board, output) == "interrupted":
        # A run that was cut short must not pass for one that its project describes.
        run.project_json.unlink(missing_ok=True)
        raise KeyboardInterrupt
    convert_stage(run, board, output)


@app.command(epilog="Example: tinyltc generate --run demo, or tinyltc generate model.tflite --out src")
def generate(
    model: Annotated[Path | None, typer.Argument(help="A quantized .tflite of anybody's, instead of --run.")] = None,
    run: Annotated[
        str | None, typer.Option("--run", help="Name of the run: the folder runs/NAME; default: demo.")
    ] = None,
    board: BoardName = None,
    engine: EngineName = None,
    out: Annotated[Path | None, typer.Option("--out", help="With MODEL: folder of NAME.h and NAME.c.")] = None,
    name: Annotated[str | None, typer.Option("--name", help="With MODEL: prefix of the C.")] = None,
) -> None:
    """Generate C: the firmware's sources of a run, or a header and a source of a .tflite."""
    if model is None:
        if out is not None or name is not None:
            raise ConfigError("--out and --name belong to a .tflite.", "tinyltc generate MODEL.tflite --out DIR")
        _generate_run(run or "demo", board, engine)
        return
    if run is not None or board is not None or engine is not None:
        what = f"{model} and a run cannot be generated at once; --run, --board and --engine belong to a run."
        raise ConfigError(what, "Give either MODEL.tflite or --run NAME.")
    from toolchain.compiler.generate import generate_model

    generate_model(model, out or Path(), name, console)


def _generate_run(run: str, board: str | None, engine: Engine | None) -> None:
    from toolchain.codegen.generate import generate as generate_stage

    target = open_run(run)
    board_name, engine_name = _board_and_engine(target, board, engine)
    generate_stage(target, load_board(board_name), engine_name, console)


@app.command(epilog="Example: tinyltc build --run demo --board nrf52840")
def build(run: RunName = "demo", board: BoardName = None, engine: EngineName = None) -> None:
    """Build the firmware image with PlatformIO and put the model image into its slot."""
    from toolchain.build import build as build_stage

    target = open_run(run)
    board_name, engine_name = _board_and_engine(target, board, engine)
    build_stage(target, load_board(board_name), engine_name, console)


@app.command(name="run", epilog="Example: tinyltc run --run demo --seconds 60")
def run_command(
    run: RunName = "demo",
    board: BoardName = None,
    seconds: Seconds = None,
    pace: Annotated[bool, typer.Option("--pace", help="All of it at 1x pace over the pty, as a real port.")] = False,
) -> None:
    """Run the image on the virtual board with unseen people and compare it sample by sample with the reference."""
    from toolchain.harness.device import run_device

    target = open_run(run)
    run_device(target, load_board(board or target.project().target.board), console, seconds=seconds, pace=pace)


@app.command(epilog="Example: tinyltc report --run demo")
def report(run: RunName = "demo") -> None:
    """Write report.json and report.html, and print the table."""
    from toolchain.report.make import make_report

    make_report(open_run(run), console)


@bench.command(name="step", epilog="Example: TFLM_DIR=~/tflite-micro tinyltc bench step --json")
def bench_step(
    run: Annotated[str | None, typer.Option("--run", help="A converted run; default: random weights.")] = None,
    layers: Annotated[str | None, typer.Option(help="Widths of the layers for random weights.")] = None,
    engine: Annotated[BenchEngine | None, typer.Option("--engine", help="Only the rows of this engine.")] = None,
    tflite: Annotated[list[Path] | None, typer.Option("--tflite", help="Also this graph: aot, TFLM.")] = None,
    out: Annotated[Path, typer.Option("--out", help="Where the ELF files stay.")] = Path("runs/bench"),
    as_json: Annotated[bool, typer.Option("--json", help="Print a list of objects and nothing else.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print the table as markdown.")] = False,
    board: BoardName = None,
) -> None:
    """Cycles (estimate), instructions, flash and RAM of one step, for each engine and option, and where they go."""
    from toolchain.bench import table
    from toolchain.bench.step import bench_step as measure_rows

    target = open_run(run) if run else None
    rows = measure_rows(
        load_board(board or (target.project().target.board if target else "nrf52840")),
        errors,
        run=target,
        layers=with_options(project_for_data("wrist"), layers=layers).model.layers,
        engine=str(engine) if engine else None,
        tflite=tflite or [],
        out=out,
    )
    if as_json:
        typer.echo(table.to_json(rows))
    elif as_markdown:
        typer.echo(table.markdown(rows), nl=False)
    else:
        table.show(rows, console)


@app.command(name="all", epilog="Example: tinyltc all --data grwd --run grwd")
def all_stages(
    run: RunName = "demo",
    data: DataName = None,
    project: ProjectFile = None,
    board: BoardName = None,
    engine: EngineName = None,
    seconds: Seconds = None,
) -> None:
    """Every stage in order: train, convert, generate, build, run, report."""
    begin = time.monotonic()
    if train(run, data, project=project, board=board) == "interrupted":
        raise KeyboardInterrupt
    stages: list[tuple[str, Callable[[], None]]] = [
        ("convert", lambda: convert(run)),
        ("generate", lambda: _generate_run(run, board, engine)),
        ("build", lambda: build(run, board, engine)),
        ("run", lambda: run_command(run, board, seconds)),
        ("report", lambda: report(run)),
    ]
    for title, stage in stages:
        console.rule(title)
        stage()
    console.print(f"{time.monotonic() - begin:.0f} s from data to report: {open_run(run).report_html}")


def main() -> None:
    """Entry point: prints a TinyLtcError as one sentence and exits with its code; Ctrl-C exits with 130."""
    try:
        app(standalone_mode=True)
    except TinyLtcError as error:
        errors.print("[red]error:[/red]", end=" ")
        errors.print(str(error), markup=False, highlight=False, soft_wrap=True)
        raise SystemExit(error.exit_code) from None
    except OSError as error:
        errors.print("[red]error:[/red]", end=" ")
        what = f"{error.filename}: {error.strerror}." if error.filename else f"{error}."
        errors.print(f"{what} Check the path, its permissions and the space left.", markup=False, soft_wrap=True)
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        errors.print("interrupted; what was finished before is kept.")
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
