"""``tinyltc evaluate-all``: make the runs that the table needs, score them, write runs/evaluate/figures.json.

It can be stopped at any time: a run that is trained and converted for its project stays, a row whose runs did not
change is not measured again, and figures.json holds the rows that are done.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from toolchain.board import load_board
from toolchain.errors import ConfigError, DataError, TinyLtcError
from toolchain.evaluation.evaluate import Asked, evaluate, paired_difference
from toolchain.evaluation.parity import parity
from toolchain.evaluation.rows import ROWS, Measure, Need, Row
from toolchain.files import read_json, sha256_of, write_json
from toolchain.ltc.modelspec import load_spec
from toolchain.project import Project, load_project, with_options
from toolchain.recordings.catalog import resolved
from toolchain.runs import Run

Make = Callable[[Run, Project, Console], None]
"""Trains and converts one run."""
OnBoard = Callable[[Run, float, Console], dict[str, Any]]
"""Runs so many seconds of a run's test people on the virtual board and returns what came of it, for figures.json."""


def evaluate_all(
    root: Path,
    console: Console,
    make: Make | None,
    only: Sequence[str] = (),
    rows: Sequence[Row] = ROWS,
    on_board: OnBoard | None = None,
) -> list[dict[str, Any]]:
    """Fill the table and return its rows as figures.json holds them.

    ``root``: the folder of runs; ``make`` makes runs that are missing, None only scores those that are there; ``only``:
    keys of rows, default all; ``on_board`` is asked for the rows that want it, None: they go without. A row that cannot
    be had is told and left out.
    """
    unknown = sorted(set(only) - {row.key for row in rows})
    if unknown:
        raise ConfigError(f"There is no row '{unknown[0]}'.", f"Rows: {', '.join(row.key for row in rows)}.")
    wanted = [row for row in rows if not only or row.key in only]
    path = root / "evaluate" / "figures.json"
    for number, row in enumerate(wanted, start=1):
        console.rule(f"{number} of {len(wanted)}: {row.on}: {row.figure}")
        try:
            _fill(row, root, console, make, on_board)
        except TinyLtcError as reason:
            console.print(f"[yellow]left out:[/yellow] {reason}", highlight=False, soft_wrap=True)
        _collect(rows, root, path)
    figures: list[dict[str, Any]] = _collect(rows, root, path)
    _say(figures, rows, console)
    console.print(f"{len(figures)} of {len(rows)} rows: {path}", highlight=False)
    return figures


def convert_again(
    root: Path, console: Console, convert: Make, only: Sequence[str] = (), rows: Sequence[Row] = ROWS
) -> None:
    """Convert every finished run of the rows anew, from its float weights; what is not trained yet is passed over."""
    needs = {need.name: need for row in rows if not only or row.key in only for need in row.needs}
    for need in needs.values():
        run = Run(root / need.name)
        if run.project_json.exists() and run.weights.exists():
            console.print(f"Converting run {need.name}", highlight=False)
            convert(run, run.project(), console)


def _cache(row: Row, root: Path) -> Path:
    return root / "evaluate" / "rows" / f"{row.key}.json"


def _collect(rows: Sequence[Row], root: Path, path: Path) -> list[dict[str, Any]]:
    """Write what is done, in the table's order."""
    done = [_cache(row, root) for row in rows if _cache(row, root).exists()]
    figures = [read_json(one, DataError, "Delete it.")["figure"] for one in done]
    write_json(path, figures)
    return figures


def _fill(row: Row, root: Path, console: Console, make: Make | None, on_board: OnBoard | None) -> None:
    runs = [_ready(need, root, console, make) for need in row.needs]
    cache = _cache(row, root)
    state = _fingerprint(row, runs, root)
    known = read_json(cache, DataError, "Delete it.") if cache.exists() else {}
    if known.get("made_from") != state:
        value = _from_file(row, root) if row.kind == "file" else _measured(row, runs, console)
        figure = {"on": row.on, "figure": row.figure, **value, "target": row.target, "at_least": row.at_least}
        known = {"made_from": state, "figure": {"key": row.key, **figure}}
        write_json(cache, known)
    else:
        console.print("Nothing changed since it was measured.")
    if row.board_s and on_board is not None and known["figure"].get("board") is None:
        known["figure"]["board"] = [on_board(run, row.board_s, console) for run in runs]
        write_json(cache, known)


def _ready(need: Need, root: Path, console: Console, make: Make | None) -> Run:
    """Return the run, made when it is missing or was made for another project."""
    run = Run(root / need.name)
    project = with_options(load_project(need.project), seed=need.seed, fold=need.fold)
    project = resolved(project, load_board(project.target.board).imu.rate_hz)
    if _finished(run, project):
        return run
    if make is None:
        raise ConfigError(f"The run '{need.name}' is not finished for its project.", "Run without --no-train.")
    console.print(f"Making run {need.name} ({need.project.parent.name}/{need.project.name})", highlight=False)
    make(run, project, console)
    return run


def _finished(run: Run, project: Project) -> bool:
    if not (run.project_json.exists() and run.int8_json.exists() and run.tflite.exists()):
        return False
    try:
        return run.project() == project and load_spec(run.model_json).int8 is not None
    except TinyLtcError:
        return False


def _fingerprint(row: Row, runs: Sequence[Run], root: Path) -> str:
    """What a row is made from: its own text, the networks with their decisions, and the file that it reads."""
    parts = [repr(row)]
    parts += [sha256_of(path) for run in runs for path in (run.tflite, run.model_json, run.weights)]
    file = root.parent / row.path
    if row.kind == "file" and file.exists():
        parts.append(sha256_of(file))
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _asked(measure: Measure) -> Asked:
    return Asked(measure.data, None, (), measure.conditions, measure.use_float)


def _measured(row: Row, runs: Sequence[Run], console: Console) -> dict[str, Any]:
    if row.kind == "parity":
        made = parity(runs)
        return {**made[row.statistic], "n_people": made["n_people"]}
    result = evaluate(runs, _asked(row.measure), console)
    people = result["n_people"]
    if row.kind == "lost":
        assert row.against is not None
        against = evaluate(runs, _asked(row.against), console)
        return {**paired_difference(against, result), "n_people": people}
    if row.kind == "worst":
        known = [one for one in result["people"] if one["accuracy"] is not None]
        worst = min(known, key=lambda one: float(one["accuracy"]))
        return {"value": worst["accuracy"], "low": None, "high": None, "n_people": people, "person": worst["person"]}
    looks = {"times_scored": result["times_scored"]}
    return {**result["figures"][row.statistic], "n_people": people, **looks}


def _from_file(row: Row, root: Path) -> dict[str, Any]:
    path = root.parent / row.path
    content = read_json(path, DataError, f"Run `{row.command}` first.")

    def under(keys: str) -> Any:
        value = content
        for key in keys.split("."):
            if not isinstance(value, dict) or key not in value:
                raise DataError(f"{path} lacks '{keys}'.", f"Run `{row.command}` again.")
            value = value[key]
        return value

    low, high = under(row.interval) if row.interval else (None, None)
    return {"value": float(under(row.statistic)), "low": low, "high": high, "n_people": None}


def _say(figures: Sequence[dict[str, Any]], rows: Sequence[Row], console: Console) -> None:
    table = Table(title="Figures")
    for name in ("on", "figure", "value", "95 % interval", "people", "to reach", ""):
        table.add_column(name, justify="left" if name in ("on", "figure") else "right")
    known = {figure["key"]: figure for figure in figures}
    for row in rows:
        table.add_row(*cells(known.get(row.key), row))
    console.print(table)


def cells(figure: dict[str, Any] | None, row: Row) -> tuple[str, ...]:
    """Return one line of the table: on, figure, value, interval, people, goal, and whether it is reached."""
    goal = "" if row.target is None else f"{'at least' if row.at_least else 'at most'} {row.target:g}"
    if figure is None or figure["value"] is None:
        return row.on, row.figure, "-", "-", "-", goal, "not measured"
    value, low, high = figure["value"], figure["low"], figure["high"]
    interval = f"{low:.4g} to {high:.4g}" if low is not None else "-"
    verdict = "for comparison"
    if row.target is not None:
        reached = value >= row.target if row.at_least else value <= row.target
        verdict = "reached" if reached else "not reached"
    person = f" ({figure['person']})" if "person" in figure else ""
    return row.on, row.figure, f"{value:.4g}{person}", interval, str(figure["n_people"] or "-"), goal, verdict
