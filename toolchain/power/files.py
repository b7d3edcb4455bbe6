"""Readings from a file: CSV of any meter, with its columns named, as Joulescope and others export it."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from toolchain.errors import MeterError
from toolchain.power.readings import Readings

HINT = (
    "Columns: time (s, ms or us), current (A, mA or uA), and if you like voltage (V) and digital inputs D0 to D7; "
    "the unit in the name, such as 'current (uA)'. docs/power.md has examples."
)
_TIME = {"s": 1.0, "ms": 1e-3, "us": 1e-6}
_CURRENT = {"a": 1.0, "ma": 1e-3, "ua": 1e-6, "na": 1e-9}
_UNEVEN = 0.3
"""Stamps may be this fraction of a period off an even grid: they are printed with few digits."""
ROWS_MAX = 50_000_000


@dataclass(frozen=True, slots=True)
class _Columns:
    time: int
    time_unit: float
    current: int
    current_unit: float
    volt: int | None
    digital: dict[int, int]


def read_csv(path: Path, volt: float | None = None) -> Readings:
    """Read a CSV of a meter; ``volt`` where the file has no voltage column.

    Lines that begin with ``#`` are skipped. A gap in the stamps of a whole number of periods counts as lost readings.
    Raises MeterError for a file that is no such thing.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig", errors="replace") as file:
            lines = (line for line in file if line.strip() and not line.startswith("#"))
            rows = csv.reader(lines)
            header = next(rows, None)
            if header is None:
                raise MeterError(f"{path} is empty.", HINT)
            columns = _columns(path, header)
            values = _values(path, rows, columns)
    except FileNotFoundError:
        raise MeterError(f"{path} does not exist.", "Give the file that the meter's program exported.") from None
    except (OSError, csv.Error) as reason:
        raise MeterError(f"{path} cannot be read ({reason}).", HINT) from None
    time = values[:, 0] * columns.time_unit
    period, lost = _period(path, time)
    supply = float(values[:, 2].mean()) if columns.volt is not None else volt
    if supply is None:
        raise MeterError(f"{path} has no column of the voltage.", "Say it with --volt.")
    marks = None
    if columns.digital:
        bits = values[:, 3:].astype(np.uint8) & 1
        marks = np.zeros(len(values), np.uint8)
        for place, bit in enumerate(columns.digital):
            marks |= bits[:, place] << bit
    return Readings(values[:, 1] * columns.current_unit, period, supply, f"measured on {path.name}", marks, lost)


def _columns(path: Path, header: list[str]) -> _Columns:
    names = [name.strip().lower().replace("μ", "u").replace("µ", "u") for name in header]
    time = _unit(names, ("time", "timestamp", "t"), _TIME)
    current = _unit(names, ("current", "i"), _CURRENT)
    if time is None or current is None:
        missing = "time" if time is None else "current"
        raise MeterError(f"{path} has no column of the {missing} with its unit ({', '.join(header[:8])}).", HINT)
    volt = _unit(names, ("voltage", "u", "v"), {"v": 1.0})
    digital = {int(name[1]): place for place, name in enumerate(names) if re.fullmatch(r"d[0-7]", name)}
    return _Columns(*time, *current, volt[0] if volt else None, digital)


def _unit(names: list[str], words: tuple[str, ...], units: dict[str, float]) -> tuple[int, float] | None:
    for place, name in enumerate(names):
        match = re.fullmatch(r"([a-z]+)[\s_]*[(\[]?\s*([a-z]+)?\s*[)\]]?", name)
        if match and match[1] in words and match[2] in units:
            return place, units[match[2]]
    return None


def _values(path: Path, rows: Iterator[list[str]], columns: _Columns) -> npt.NDArray[np.float64]:
    wanted = [columns.time, columns.current, columns.volt if columns.volt is not None else columns.current]
    wanted += columns.digital.values()
    found: list[tuple[float, ...]] = []
    for number, row in enumerate(rows, 1):
        try:
            values = tuple(float(row[place]) for place in wanted)
        except (ValueError, IndexError):
            raise MeterError(f"{path}: row {number} after the header is no row of numbers.", HINT) from None
        if not all(math.isfinite(value) for value in values):
            raise MeterError(f"{path}: row {number} after the header has a value that is no number.", HINT)
        found.append(values)
        if number >= ROWS_MAX:
            raise MeterError(f"{path} has more than {ROWS_MAX} rows.", "Export a shorter stretch.")
    if len(found) < 3:
        raise MeterError(f"{path} has {len(found)} readings.", "Export a longer stretch.")
    return np.array(found, np.float64)


def _period(path: Path, time: npt.NDArray[np.float64]) -> tuple[float, int]:
    """Return the period in seconds and how many readings are missing on its grid."""
    steps = np.diff(time)
    if steps.min() <= 0:
        raise MeterError(f"{path}: time goes back after row {int(steps.argmin()) + 1}.", "Export it again.")
    period = float(np.median(steps))
    counts = np.maximum(np.rint(steps / period), 1)
    if np.abs(steps - counts * period).max() > _UNEVEN * period:
        raise MeterError(f"{path}: its readings are not evenly spaced.", "Export raw samples, not averages of events.")
    return period, int((counts - 1).sum())
