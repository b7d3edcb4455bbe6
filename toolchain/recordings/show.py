"""What ``tinyltc data`` does: a data set's card, its picture, and its recordings as a file."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table

from toolchain.board import Board
from toolchain.files import write_json
from toolchain.project import Project
from toolchain.recordings.catalog import as_collection, card, load_set
from toolchain.recordings.codes import refuse_clipped
from toolchain.recordings.plot import draw_set
from toolchain.recordings.storage import save_set
from toolchain.runs import Run

PARTS = ("train", "validation", "test")


def show_set(run: Run, project: Project, board: Board, console: Console, export: Path | None = None) -> None:
    """Load the project's data set, print its card and write card.json and data.png to the run.

    ``export``: also write the recordings there (docs/SPEC.md, 6). Raises DataError for data that cannot be used.
    """
    rate_hz = board.imu.rate_hz
    dataset = load_set(project.data, project.task, rate_hz)
    facts = card(dataset, rate_hz)
    clipped = {part: refuse_clipped(getattr(dataset, part), board.imu) for part in PARTS}
    write_json(run.card_json, facts | {"clipped": clipped})
    picture = run.path / "data.png"
    draw_set(dataset, picture)

    table = Table(title=f"{dataset.name} ({dataset.source}, {rate_hz:g} Hz; licence: {dataset.licence})")
    table.add_column("")
    for part in PARTS:
        table.add_column(part, justify="right")
    table.add_row("people", *(str(len(facts["people"][part])) for part in PARTS))
    table.add_row("streams", *(str(facts["streams"][part]) for part in PARTS))
    table.add_row("windows", *(str(facts["windows"][part]) for part in PARTS))
    for name in dataset.classes:
        table.add_row(f"  {name}", *(str(facts["windows_by_class"][part][name]) for part in PARTS))
    table.add_row("minutes", *(f"{facts['seconds'][part] / 60:.1f}" for part in PARTS))
    table.add_row("clipped samples (fraction)", *(f"{clipped[part]:.5f}" for part in PARTS))
    console.print(table)
    for note in dataset.notes:
        console.print(f"- {note}", highlight=False)
    for warning in dataset.warnings:
        console.print(f"[yellow]![/yellow] {warning}", highlight=False)
    console.print(f"Picture: {picture}", highlight=False)
    if export is not None:
        save_set(export, as_collection(dataset))
        console.print(f"Recordings: {export} (licence: {dataset.licence})", highlight=False)
