"""How often people were scored: a figure on people who were looked at often is worth less, so the looks are counted.

``runs/scored.json`` counts, for every person of every set, the commands that scored them.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from toolchain.errors import DataError
from toolchain.files import read_json, write_json

NAME = "scored.json"


def count_scoring(root: Path, set_name: str, people: Iterable[str]) -> int:
    """Add one look at each of ``people`` and return the largest count among them, this look included."""
    path = root / NAME
    hint = "Move it away: counting starts anew."
    value = read_json(path, DataError, hint) if path.exists() else {}
    if not isinstance(value, dict) or not all(isinstance(entry, dict) for entry in value.values()):
        raise DataError(f"{path} is not a count of scorings.", hint)
    counts = value.setdefault(set_name, {})
    for person in sorted(set(people)):
        before = counts.get(person, 0)
        if not isinstance(before, int) or isinstance(before, bool) or before < 0:
            raise DataError(f"{path}: the count of '{person}' is {before!r}.", hint)
        counts[person] = before + 1
    write_json(path, value)
    return max((counts[person] for person in people), default=0)
