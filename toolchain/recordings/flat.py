"""Flat .npz files: recordings end to end under the keys ``x, offset, label, subject, classes`` and ``fs`` or ``t_ms``.

The format of the real sets (datasets/npz/README.md). A file is not trusted: everything in it is checked here once,
and what comes out is in m/s^2, rad/s and microseconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from toolchain.board import RAD_PER_DEGREE, STANDARD_GRAVITY
from toolchain.errors import DataError
from toolchain.recordings.storage import read_arrays

HINT = "datasets/npz/README.md gives the keys of such a file."
_GRAVITY_LOW, _GRAVITY_HIGH = 0.5 * STANDARD_GRAVITY, 2.0 * STANDARD_GRAVITY
_GYRO_MOST = 80.0
"""rad/s (4,580 deg/s): beyond the range of every IMU that a wrist carries, so such a file is in deg/s."""
_SCALES = {
    ("acc_lsb_per_g", "gyro_lsb_per_dps"): (STANDARD_GRAVITY, RAD_PER_DEGREE),
    ("acc_lsb_per_ms2", "gyro_lsb_per_rad_s"): (1.0, 1.0),
}
"""Keys of integer x, and what 1/key is worth in m/s^2 and rad/s."""


@dataclass(frozen=True)
class Flat:
    """A checked file. ``samples`` float32 (N, 6) m/s^2 and rad/s; ``t_us`` int64 (N,), each recording from 0.

    ``label`` int64 (R,) or None; ``y_sample`` int64 (N,) or None; ``subject`` R names; ``extra`` the other arrays.
    """

    path: Path
    samples: npt.NDArray[np.float32]
    t_us: npt.NDArray[np.int64]
    offset: npt.NDArray[np.int64]
    label: npt.NDArray[np.int64] | None
    y_sample: npt.NDArray[np.int64] | None
    subject: tuple[str, ...]
    classes: tuple[str, ...]
    gravity: bool
    extra: dict[str, npt.NDArray[Any]]

    def __iter__(self) -> Iterator[slice]:
        """Rows of each recording."""
        return (slice(first, last) for first, last in pairwise(self.offset.tolist()))


def read_flat(
    path: Path,
    hint: str = HINT,
    *,
    fs_hz: float | None = None,
    gravity: bool | None = None,
    columns: int = 6,
) -> Flat:
    """Read and check a flat file; raises DataError with one sentence for what is wrong in it.

    ``fs_hz``: rate of a file that names none. ``gravity``: whether the accelerometer includes it (default: the file's
    key ``gravity``, else True); checked against the samples. ``columns``: x may have more, the first six are used.
    """
    arrays = read_arrays(path, hint)
    x = _need(arrays, "x", path, hint, "iuf", 2)
    offset = _need(arrays, "offset", path, hint, "iu", 1).astype(np.int64)
    classes = tuple(str(name) for name in _need(arrays, "classes", path, hint, "U", 1))
    rows = len(x)
    if x.shape[1] != columns or rows == 0:
        raise DataError(f"{path}: key 'x' has shape {x.shape}, expected (samples, {columns}).", hint)
    if len(offset) < 2 or offset[0] != 0 or offset[-1] != rows or (np.diff(offset) < 2).any():
        raise DataError(f"{path}: key 'offset' must rise from 0 to the {rows} samples, two or more each.", hint)
    count = len(offset) - 1
    subject = _subject(arrays, count, path, hint)
    samples = _physical(x[:, :6], arrays, offset, path, hint)
    label = _labels(arrays, "label", count, len(classes), path, hint)
    y_sample = _labels(arrays, "y_sample", rows, len(classes), path, hint)
    if len(set(classes)) != len(classes):
        raise DataError(f"{path}: key 'classes' repeats a name.", hint)
    if label is None and y_sample is None:
        raise DataError(f"{path} lacks the key 'label' (or 'y_sample').", hint)
    t_us = _stamps(arrays, offset, fs_hz, path, hint)
    there = bool(arrays["gravity"].ravel()[0]) if gravity is None and "gravity" in arrays else gravity is not False
    _check_units(samples, there, path, hint)
    known = {"x", "offset", "classes", "subject", "label", "y_sample", "t_ms", "fs"}
    extra = {key: value for key, value in arrays.items() if key not in known}
    return Flat(path, samples, t_us, offset, label, y_sample, subject, classes, there, extra)


def _need(
    arrays: dict[str, npt.NDArray[Any]], key: str, path: Path, hint: str, kinds: str, dimensions: int
) -> npt.NDArray[Any]:
    if key not in arrays:
        raise DataError(f"{path} lacks the key '{key}'.", hint)
    array = arrays[key]
    if array.dtype.kind not in kinds or array.ndim != dimensions or not array.size:
        raise DataError(f"{path}: key '{key}' is {array.dtype} of shape {array.shape}.", hint)
    return array


def _subject(arrays: dict[str, npt.NDArray[Any]], count: int, path: Path, hint: str) -> tuple[str, ...]:
    subject = _need(arrays, "subject", path, hint, "iuU", 1)
    if len(subject) != count:
        raise DataError(f"{path}: key 'subject' needs one entry for each of the {count} recordings.", hint)
    return tuple(f"{entry:02d}" if isinstance(entry, int) else str(entry) for entry in subject.tolist())


def _labels(
    arrays: dict[str, npt.NDArray[Any]], key: str, count: int, classes: int, path: Path, hint: str
) -> npt.NDArray[np.int64] | None:
    if key not in arrays:
        return None
    label = _need(arrays, key, path, hint, "iu", 1).astype(np.int64)
    if len(label) != count or label.min() < 0 or label.max() >= classes:
        raise DataError(f"{path}: key '{key}' needs {count} indices into the {classes} classes.", hint)
    return label


def _scalar(arrays: dict[str, npt.NDArray[Any]], key: str, path: Path, hint: str) -> float:
    array = arrays[key]
    value = float(array.ravel()[0]) if array.size == 1 and array.dtype.kind in "iuf" else float("nan")
    if not np.isfinite(value) or value <= 0:
        raise DataError(f"{path}: key '{key}' must be one positive number.", hint)
    return value


def _physical(
    x: npt.NDArray[Any], arrays: dict[str, npt.NDArray[Any]], offset: npt.NDArray[np.int64], path: Path, hint: str
) -> npt.NDArray[np.float32]:
    if x.dtype.kind == "f":
        if not np.isfinite(x).all():
            row = int(np.argwhere(~np.isfinite(x))[0, 0])
            which = int(np.searchsorted(offset, row, side="right")) - 1
            raise DataError(f"{path}: recording {which} holds NaN or infinity at row {row}.", "Cut it there.")
        return np.asarray(x, np.float32)
    for (acc, gyro), (acc_unit, gyro_unit) in _SCALES.items():
        if acc in arrays and gyro in arrays:
            lsb = [acc_unit / _scalar(arrays, acc, path, hint), gyro_unit / _scalar(arrays, gyro, path, hint)]
            return np.asarray(x * np.repeat(lsb, 3), np.float32)
    raise DataError(f"{path}: x holds integers, but 'acc_lsb_per_g' or 'gyro_lsb_per_dps' is missing.", hint)


def _stamps(
    arrays: dict[str, npt.NDArray[Any]], offset: npt.NDArray[np.int64], fs_hz: float | None, path: Path, hint: str
) -> npt.NDArray[np.int64]:
    rows = int(offset[-1])
    lengths = np.diff(offset)
    if "t_ms" in arrays:
        t_ms = _need(arrays, "t_ms", path, hint, "iuf", 1)
        if len(t_ms) != rows or not np.isfinite(t_ms).all():
            raise DataError(f"{path}: key 't_ms' needs one finite stamp for each of the {rows} samples.", hint)
        if np.abs(t_ms.astype(np.float64)).max() > 1e12:
            raise DataError(f"{path}: key 't_ms' holds stamps beyond 30 years.", hint)
        t_us = np.rint(t_ms.astype(np.float64) * 1000).astype(np.int64)
        steps = np.diff(t_us)
        steps[offset[1:-1] - 1] = 1
        back = np.flatnonzero(steps <= 0)
        if len(back):
            which = int(np.searchsorted(offset, back[0], side="right")) - 1
            raise DataError(
                f"{path}: time does not increase in recording {which} at row {int(back[0]) + 1}.", "Sort or drop it."
            )
        return np.asarray(t_us - np.repeat(t_us[offset[:-1]], lengths))
    if "fs" in arrays:
        fs_hz = _scalar(arrays, "fs", path, hint)
    if fs_hz is None:
        raise DataError(f"{path} lacks both 't_ms' and 'fs'.", hint)
    if not 1 <= fs_hz <= 10_000:
        raise DataError(f"{path}: a rate of {fs_hz:g} Hz is not one of a gesture recording.", hint)
    row = np.arange(rows, dtype=np.int64) - np.repeat(offset[:-1], lengths)
    return np.asarray(np.rint(row * (1e6 / fs_hz)), np.int64)


def _check_units(samples: npt.NDArray[np.float32], gravity: bool, path: Path, hint: str) -> None:
    """Refuse samples whose size says that they are in g, in deg/s, or without gravity."""
    acc = float(np.median(np.linalg.norm(samples[:, :3], axis=1)))
    if gravity and not _GRAVITY_LOW <= acc <= _GRAVITY_HIGH:
        guess = "in g" if 0.5 <= acc <= 2 else "without gravity, swapped with the gyroscope, or of a wrong scale"
        raise DataError(
            f"{path}: the accelerometer's median size is {acc:.2f} m/s^2, expected about 9.8: it seems to be {guess}.",
            hint,
        )
    gyro = float(np.percentile(np.abs(samples[:, 3:]), 99.9))
    if gyro > _GYRO_MOST:
        raise DataError(
            f"{path}: the gyroscope reaches {gyro:.0f} rad/s, more than any IMU: it seems to be in deg/s.", hint
        )
