"""``tinyltc data``: a data set, or with a further word what is done to a file of recordings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from toolchain.board import load_board
from toolchain.commands.options import (
    DEFAULT_BOARD,
    BoardName,
    DataName,
    DataPath,
    ProjectFile,
    RunName,
    console,
    project_of,
)
from toolchain.project import with_options
from toolchain.runs import open_run

app = typer.Typer(invoke_without_command=True)

Recordings = Annotated[
    Path, typer.Argument(metavar="FILE", help="Recordings: captured, .npz of ours or flat, .csv; or a folder of them.")
]


@app.callback(epilog="Example: tinyltc data --data wrist --run demo, tinyltc data inspect FILE --plot out.png")
def data(
    context: typer.Context,
    run: RunName = "demo",
    data: DataName = None,
    path: DataPath = None,
    project: ProjectFile = None,
    export: Annotated[Path | None, typer.Option("--export", help="Also write the recordings to this .npz.")] = None,
) -> None:
    """Show a data set: who, what, how long, and a picture of one example of every class; or one of the commands."""
    if context.invoked_subcommand is not None:
        return
    from toolchain.recordings.catalog import resolved
    from toolchain.recordings.show import show_set

    target = open_run(run)
    chosen = with_options(project_of(data, project, target), path=path)
    board = load_board(chosen.target.board)
    show_set(target, resolved(chosen, board.imu.rate_hz), board, console, export)


@app.command(epilog="Example: tinyltc data inspect captures/mine/p1-1.npz --plot p1.png")
def inspect(
    file: Recordings,
    board: BoardName = None,
    plot: Annotated[Path | None, typer.Option("--plot", help="Also draw every recording to this .png.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the verdicts as JSON and nothing else.")] = False,
) -> None:
    """A verdict on every recording: true rate, jitter, losses and where, clipping, stuck axes, gravity, drift."""
    from toolchain.recordings.inspect import inspect as inspect_file
    from toolchain.recordings.inspect import show, to_json

    inspected = inspect_file(file, load_board(board or DEFAULT_BOARD).imu)
    if as_json:
        typer.echo(to_json(inspected))
    else:
        show(inspected, console)
    if plot is not None:
        from toolchain.recordings.inspect import draw

        draw(inspected, plot)
        if not as_json:
            console.print(f"Picture: {plot}", highlight=False)


@app.command(epilog="Example: tinyltc data review captures/mine/p1-1.npz")
def review(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A captured .npz, or any of docs/SPEC.md, 6.")],
    serve: Annotated[bool, typer.Option("--serve/--no-serve", help="Serve it, so that it can save by itself.")] = True,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open it, or only print its address.")] = True,
) -> None:
    """Correct labels in the browser: drag the borders, change the label, delete. Ctrl-C ends it."""
    from toolchain.capture.review import review as review_file

    review_file(file, console, serve=serve, browser=browser)


@app.command(epilog="Example: tinyltc data apply captures/mine/p1-1.npz p1-1.corrections.json")
def apply(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The recordings that were reviewed.")],
    corrections: Annotated[Path, typer.Argument(metavar="CORRECTIONS", help="The JSON that the review page saved.")],
) -> None:
    """Apply corrections of the review page; the file as it was stays beside it as FILE.bak."""
    from toolchain.recordings.corrections import apply_file

    apply_file(file, corrections, console)


@app.command(name="export", epilog="Example: tinyltc data export captures/mine mine.csv")
def export_csv(
    file: Recordings, out: Annotated[Path, typer.Argument(metavar="CSV", help="The .csv to write.")]
) -> None:
    """Write recordings as text, one sample a line (datasets/csv/README.md gives the header)."""
    from toolchain.recordings.exchange import to_csv

    to_csv(file, out, console)


@app.command(name="import", epilog="Example: tinyltc data import mine.csv mine.npz")
def import_csv(
    file: Annotated[Path, typer.Argument(metavar="CSV", help="A .csv, or a folder of them.")],
    out: Annotated[Path, typer.Argument(metavar="NPZ", help="The .npz to write (docs/SPEC.md, 6).")],
) -> None:
    """Make an .npz of recordings that are text."""
    from toolchain.recordings.exchange import from_csv

    from_csv(file, out, console)


@app.command(epilog="Example: tinyltc data card captures/mine --html card.html")
def card(
    file: Recordings,
    board: BoardName = None,
    html: Annotated[Path | None, typer.Option("--html", help="Write it as a piece of HTML.")] = None,
    markdown: Annotated[Path | None, typer.Option("--markdown", help="Write it as markdown.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON and nothing else.")] = False,
) -> None:
    """The data card of a set: who, how long, how good, how many of each class."""
    from toolchain.recordings.setcard import show_card

    show_card(file, load_board(board or DEFAULT_BOARD).imu, console, html=html, markdown=markdown, as_json=as_json)
