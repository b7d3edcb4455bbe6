"""The table of figures as text: markdown between two markers of a document, and a copy of the figures beside it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from toolchain.errors import ConfigError, DataError
from toolchain.evaluation.everything import cells
from toolchain.evaluation.rows import ROWS, Row
from toolchain.files import read_json, write_text

BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"
_HEAD = ("on", "figure", "value", "95 % interval", "people", "to reach", "")


def read_figures(path: Path) -> list[dict[str, Any]]:
    """Read a figures.json; raises DataError for anything else."""
    hint = "Run `tinyltc evaluate-all` first."
    value = read_json(path, DataError, hint)
    if not isinstance(value, list) or not all(isinstance(one, dict) and "key" in one for one in value):
        raise DataError(f"{path} is not a list of figures.", hint)
    return value


def markdown(figures: Sequence[dict[str, Any]], rows: Sequence[Row] = ROWS) -> str:
    """Return the table as markdown, every row of it, measured or not."""
    known = {figure["key"]: figure for figure in figures}
    lines = [_HEAD, tuple("---" for _ in _HEAD), *(cells(known.get(row.key), row) for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def refresh(document: Path, table: str) -> None:
    """Put ``table`` between the markers of ``document``. Raises ConfigError where it has not exactly one pair."""
    text = document.read_text()
    before, found, rest = text.partition(BEGIN)
    _, closed, after = rest.partition(END)
    if not (found and closed) or BEGIN in rest or END in after:
        raise ConfigError(f"{document} needs one line '{BEGIN}' and, below it, one '{END}'.", "Write them in.")
    write_text(document, f"{before}{BEGIN}\n\n{table}\n{END}{after}")
