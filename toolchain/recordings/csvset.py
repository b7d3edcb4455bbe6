"""Importer of ``csv``: recordings as text, one sample a line (datasets/csv/README.md gives the header)."""

from __future__ import annotations

import csv
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import numpy as np

from toolchain.board import RAD_PER_DEGREE, STANDARD_GRAVITY
from toolchain.errors import DataError
from toolchain.files import replacing
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


HEADER = (
    *("t_us", "ax_ms2", "ay_ms2", "az_ms2", "gx_rads", "gy_rads", "gz_rads"),
    *("label", "person", "recording", "session", "mounting", "kind"),
)
"""What :func:`save` writes. ``session``, ``mounting`` and ``kind`` may be missing in files of others."""


def load(path: Path, background: str = BACKGROUND, *, cut: bool = True) -> Collection:
    """Read a .csv, or all of a folder; with ``cut``, the windows of streams are cut out and put beside them.

    Raises DataError that names the file and the line.
    """
    files = sorted(path.glob("*.csv")) if path.is_dir() else [path]
    if not files:
        raise DataError(f"{path} holds no .csv file.", HINT)
    rows = [row for file in files for row in _read(file)]
    names = sorted({row[1] for row in rows} - {background, "", "?"})
    classes = (background, *names)
    index = {name: i for i, name in enumerate(classes)} | {"": 0, "?": UNKNOWN}
    recordings: list[Recording] = []
    for key, group in groupby(rows, key=lambda row: row[2:]):
        person, which, session, mounting, kind = key
        block = list(group)
        values = np.array([row[0] for row in block])
        labels = np.array([index[row[1]] for row in block], np.int16)
        t_us = np.rint(values[:, 0] - values[0, 0]).astype(np.int64)
        try:
            recording = Recording(values[:, 1:].astype(np.float32), t_us, labels, person, session or which, mounting)
        except DataError as reason:
            raise DataError(f"{path}: {reason.what}", reason.hint or HINT) from None
        events = int(((np.diff(labels, prepend=0) != 0) & (labels > 0)).sum())
        if kind == "stream" or (not kind and (events > 1 or recording.seconds > _STREAM_S)):
            stream = replace(recording, kind="stream")
            recordings += [*(windows_of(stream, 0) if cut else []), stream]
        else:
            recordings.append(recording)
    return Collection(path.stem, classes, background, tuple(recordings), "recorded", "yours")


def save(path: Path, collection: Collection) -> None:
    """Write ``collection`` as text, one sample a line, whole or not at all; :func:`load` gives it back bit for bit.

    Raises DataError for a label that text would change.
    """
    for name in collection.classes:
        if name != name.strip() or name in ("", "?") or (name == BACKGROUND) != (name == collection.background):
            raise DataError(f"The class '{name}' cannot be written as text.", f"The background is '{BACKGROUND}'.")
    names = [*collection.classes, "?"]
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        for number, r in enumerate(collection.recordings):
            about = (r.person, str(number), r.session, r.mounting, r.kind)
            # The shortest text that reads back as the same float32.
            values = [[np.format_float_positional(v, trim="-") for v in row] for row in r.samples]
            for t_us, row, label in zip(r.t_us.tolist(), values, r.labels.tolist(), strict=True):
                writer.writerow((t_us, *row, names[label], *about))


def _read(file: Path) -> list[tuple[list[float], str, str, str, str, str, str]]:
    """Return (stamp in microseconds and six channels, label, person, recording, session, mounting, kind) of each line.

    The last three are empty where the file lacks them.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise DataError(f"{file} does not exist.", "Give the file with --path.") from None
    except UnicodeDecodeError as reason:
        raise DataError(f"{file} is not UTF-8 text ({reason.reason}).", HINT) from None
    lines = csv.reader(text.splitlines())
    header = [name.strip() for name in next(lines, [])]
    columns, scales = _columns(file, header)
    optional = [header.index(name) if name in header else None for name in ("session", "mounting", "kind")]
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
        session, mounting, kind = ("" if at is None else line[at].strip() for at in optional)
        if kind not in ("", "window", "stream"):
            raise DataError(f"{file}, line {number}: the kind '{kind}' is neither window nor stream.", HINT)
        rows.append((values, label, person, f"{file.stem} {recording}", session, mounting, kind))
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
