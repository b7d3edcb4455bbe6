"""``tinyltc export`` and ``tinyltc import``."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from toolchain.board import load_board
from toolchain.commands.options import BoardName, console
from toolchain.runs import open_run

app = typer.Typer()


class ExportFormat(StrEnum):
    """The files that ``tinyltc export`` writes."""

    ONNX = "onnx"
    JSON = "json"


@app.command(epilog="Example: tinyltc export demo --format onnx")
def export(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A trained run.")],
    form: Annotated[ExportFormat, typer.Option("--format", help="onnx: one step, float and int8; json: all of it.")],
    out: Annotated[Path | None, typer.Option("--out", help="Folder of the files; default: runs/RUN/export.")] = None,
    board: BoardName = None,
) -> None:
    """Write the network for other tools, checked against the numpy reference: ONNX, or JSON (docs/SPEC.md, 8)."""
    from toolchain.export.export import export_json, export_onnx

    target = open_run(run)
    if form is ExportFormat.JSON:
        export_json(target, out, console)
    else:
        export_onnx(target, load_board(board or target.project().target.board), out, console)


@app.command(name="import", epilog="Example: tinyltc import network.json --run theirs")
def import_command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `tinyltc export RUN --format json` wrote.")],
    run: Annotated[str, typer.Option("--run", help="Name of the new run.")],
) -> None:
    """Make a run of an exported network.json: the same network, bit for bit."""
    from toolchain.export.export import import_json

    import_json(file, open_run(run), console)
