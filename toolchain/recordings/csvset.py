"""Importer of ``csv``: recordings as text, one sample a line (datasets/csv/README.md gives the header)."""

from __future__ import annotations

import csv
from itertools import groupby
from pathlib import Path

import numpy as np

from toolchain.board import RAD_PER_DEGREE, STANDARD_GRAVITY
from toolchain.errors import DataError
from toolchain.recordings.events import windows_of
from toolchain.recordings.recording import UNKNOWN, Collection, Recording

BACKGROUND = "none"
HINT = "datasets/csv/README.md gives the header."
_TIME = {"t_us": 1.0, "t_ms": 1e3, "t_s": 1e6}
_ACC = {"ms2": 1.0, "g": STANDARD_GRAVITY}
_GYRO = {"rads": 1.0, "dps": RAD_PER_DEGREE}
_TEXT = ("label", "person", "recording")
_STREAM_S = 6.0
"""A recording this long, or with more than one gesture, is a stream."""


def load(path: Path, background: str = BACKGROUND) -> Collection:
    """Read a .csv, or all of a folder. Raises DataError that names the file and the line."""
    files = sorted(path.glob("*.csv")) if path.is_dir() else [path]
    if not files:
        raise DataError(f"{path} holds no .csv file.", HINT)
    rows = [row for file in files for row in _read(file)]
    names = sorted({row[1] for row in rows} - {background, "", "?"})
    classes = (background, *names)
    index = {name: i for i, name in enumerate(classes)} | {"": 0, "?": UNKNOWN}
    recordings: list[Recording] = []
    for (person, which), group in groupby(rows, key=lambda row: (row[2], row[3])):
        block = list(group)
        values = np.array([row[0] for row in block])
        labels = np.array([index[row[1]] for row in block], np.int16)
        t_us = np.rint(values[:, 0] - values[0, 0]).astype(np.int64)
        try:
            recording = Recording(values[:, 1:].astype(np.float32), t_us, labels, person, which)
        except DataError as reason:
            raise DataError(f"{path}: {reason.what}", reason.hint or HINT) from None
        events = int(((np.diff(labels, prepend=0) != 0) & (labels > 0)).sum())
        if events > 1 or recording.seconds > _STREAM_S:
            stream = Recording(recording.samples, t_us, labels, person, which, kind="stream")
            recordings += [*windows_of(stream, 0), stream]
        else:
            recordings.append(recording)
    return Collection(path.stem, classes, background, tuple(recordings), "recorded", "yours")


def _read(file: Path) -> list[tuple[list[float], str, str, str]]:
    """Return (stamp in microseconds and six channels, label, person, recording) of every line."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise DataError(f"{file} does not exist.", "Give the file with --path.") from None
    except UnicodeDecodeError as reason:
        raise DataError(f"{file} is not UTF-8 text ({reason.reason}).", HINT) from None
    lines = csv.reader(text.splitlines())
    header = [name.strip() for name in next(lines, [])]
    columns, scales = _columns(file, header)
    rows = []
    for number, line in enumerate(lines, start=2):
        if not line:
            continue
        if len(line) != len(header):
            raise DataError(f"{file}, line {number}: {len(line)} fields, the header has {len(header)}.", HINT)
        try:
            values = [float(line[at]) * scale for at, scale in zip(columns, scales, strict=True)]
        except ValueError:
            raise DataError(f"{file}, line {number}: a field is not a number.", HINT) from None
        if not np.isfinite(values).all():
            raise DataError(f"{file}, line {number}: NaN or infinity.", "Leave such lines out: a gap is no harm.")
        label, person, recording = (line[header.index(name)].strip() for name in _TEXT)
        rows.append((values, label, person, f"{file.stem} {recording}"))
    if not rows:
        raise DataError(f"{file} holds no samples.", HINT)
    return rows


def _columns(file: Path, header: list[str]) -> tuple[list[int], list[float]]:
    """Return the places of time and channels in a line, and what each is multiplied with."""
    if len(set(header)) != len(header):
        raise DataError(f"{file}: the header repeats a column.", HINT)
    missing = next((name for name in _TEXT if name not in header), None)
    if missing:
        raise DataError(f"{file}: the header lacks the column '{missing}'.", HINT)
    columns, scales = [], []
    wanted = [(tuple(_TIME), _TIME)]
    for sensor, units in (("a", _ACC), ("g", _GYRO)):
        for axis in "xyz":
            named = {f"{sensor}{axis}_{unit}": scale for unit, scale in units.items()}
            wanted.append((tuple(named), named))
    for names, scale_of in wanted:
        found = [name for name in names if name in header]
        if len(found) != 1:
            raise DataError(f"{file}: the header needs exactly one of the columns {', '.join(names)}.", HINT)
        columns.append(header.index(found[0]))
        scales.append(scale_of[found[0]])
    return columns, scales
