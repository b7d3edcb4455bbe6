"""Importer of ``grwd``: ten whole gestures of real people, an IMU above the wrist (datasets/grwd/README.md)."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from toolchain.board import RAD_PER_DEGREE, STANDARD_GRAVITY
from toolchain.errors import DataError
from toolchain.recordings.join import join
from toolchain.recordings.recording import UNKNOWN, Collection, Recording
from toolchain.recordings.storage import read_arrays

BACKGROUND = "none"
DEFAULT_ROOT = Path(__file__).resolve().parents[3] / "shared" / "datasets"
HINT = "Set TINYLTC_DATA to the folder that holds grwd/grwd.npz (datasets/grwd/README.md)."
NOTES = (
    "Axes: y of the set points along the forearm to the hand; mapped to wrist axes as x = y, y = -x, z = z.",
    "The set has no class 'none': labels come from the gyroscope's energy, and the resting start is background.",
    "Windows end at most 0.2 s after the motion; a quarter of the recordings stop while the hand still moves.",
    "Streams are joined recordings of one person with made-up rest in between, not one continuous recording.",
    "The gyroscope of the set clips at 250 deg/s, in about a fifth of the recordings.",
    "Test people are the set's own split 1.",
)

TO_WRIST = np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
"""Wrist axes from the set's: a swipe up turns about +x and lifts +y, so y points to the hand; z is out of the back."""

_TYPES = {
    "x": ("i2", 2),
    "t_ms": ("i4", 1),
    "offset": ("i8", 1),
    "label": ("u1", 1),
    "subject": ("u1", 1),
    "split": ("u1", 1),
    "classes": ("U", 1),
    "acc_lsb_per_g": ("f4", None),
    "gyro_lsb_per_dps": ("f4", None),
}
_LEAD_S, _TAIL_S = 1.2, 0.2
_REST_WINDOWS, _REST_S, _REST_MOST_S = 10, 0.7, 2.5
_STREAM_RECORDINGS = 16
_SMOOTH_S, _PAUSE_S = 0.08, 0.9
_FLOOR, _SHARE = 0.35, 0.12


def default_path() -> Path:
    """Return where the file is expected: ``$TINYLTC_DATA/grwd/grwd.npz``."""
    return Path(os.environ.get("TINYLTC_DATA") or DEFAULT_ROOT) / "grwd" / "grwd.npz"


def find_motion(t_us: npt.NDArray[np.int64], gyro: npt.NDArray[np.floating]) -> tuple[int, int, npt.NDArray[np.bool_]]:
    """Find the motion of one recording by its angular rate, ``gyro`` (T, 3) in rad/s.

    The smoothed rate counts as moving above 0.35 rad/s and above 0.12 of its 98th percentile. Pauses up to 0.9 s do
    not end a motion; of several motions the one with the most energy is the gesture. Returns first sample, one past
    the last, and where it moves at all, bool (T,).
    """
    seconds = t_us * 1e-6
    width = max(1, round(_SMOOTH_S * len(t_us) / max(seconds[-1] - seconds[0], 1e-3)))
    rate = np.linalg.norm(gyro, axis=1)
    rate = np.convolve(np.pad(rate, (width // 2, width - 1 - width // 2), mode="edge"), np.ones(width) / width, "valid")
    moving = rate >= min(max(_SHARE * float(np.percentile(rate, 98)), _FLOOR), 0.5 * float(rate.max()))
    at = np.flatnonzero(moving)
    cuts = np.flatnonzero(np.diff(seconds[at]) > _PAUSE_S) + 1
    parts = np.split(at, cuts)
    best = parts[int(np.argmax([np.sum(rate[part] ** 2) for part in parts]))]
    return int(best[0]), int(best[-1]) + 1, moving


def load(path: Path | None = None) -> Collection:
    """Read the set with its own irregular stamps, in m/s^2, rad/s and wrist axes. Raises DataError.

    Classes: ``none``, then the set's. Windows hold one gesture, or rest; streams are joined recordings.
    """
    path = path or default_path()
    arrays = read_arrays(path, HINT)
    _check(arrays, path)
    lsb = np.repeat(
        [
            STANDARD_GRAVITY / float(arrays["acc_lsb_per_g"].ravel()[0]),
            RAD_PER_DEGREE / float(arrays["gyro_lsb_per_dps"].ravel()[0]),
        ],
        3,
    )
    both = np.kron(np.eye(2), TO_WRIST)
    samples = (arrays["x"] @ (both * lsb).T).astype(np.float32)
    offset = arrays["offset"].tolist()
    whole: dict[str, list[Recording]] = defaultdict(list)
    windows: list[Recording] = []
    for i, (first, last) in enumerate(pairwise(offset)):
        recording = _labelled(samples[first:last], arrays["t_ms"][first:last], int(arrays["label"][i]) + 1)
        recording = replace(recording, person=f"grwd{int(arrays['subject'][i]):02d}")
        whole[recording.person].append(recording)
        windows.append(_cut(recording))
    rests = [rest for person in sorted(whole) for rest in _rests(whole[person])]
    streams = [stream for person in sorted(whole) for stream in _streams(whole[person])]
    held_out = {f"grwd{number:02d}" for number in arrays["subject"][arrays["split"] == 1].tolist()}
    return Collection(
        "grwd",
        (BACKGROUND, *(str(name) for name in arrays["classes"])),
        BACKGROUND,
        (*windows, *rests, *streams),
        "recorded",
        "none stated: evaluate only, never redistribute",
        NOTES,
        frozenset(held_out),
    )


def _check(arrays: dict[str, np.ndarray[Any, Any]], path: Path) -> None:
    """Refuse a file that is not the one that datasets/grwd/README.md describes."""
    for key, (kind, dimensions) in _TYPES.items():
        if key not in arrays:
            raise DataError(f"{path} lacks the key '{key}': it is not the grwd set.", HINT)
        array = arrays[key]
        right = array.dtype.kind == "U" if kind == "U" else array.dtype == np.dtype(kind)
        if not right or (dimensions is not None and array.ndim != dimensions) or not array.size:
            raise DataError(f"{path}: key '{key}' is {array.dtype} of shape {array.shape}: not the grwd set.", HINT)
    rows, offset = len(arrays["x"]), arrays["offset"]
    count = len(offset) - 1
    sound = (
        arrays["x"].shape[1] == 6
        and len(arrays["t_ms"]) == rows
        and offset[0] == 0
        and offset[-1] == rows
        and (np.diff(offset) >= 2).all()
        and all(len(arrays[key]) == count for key in ("label", "subject", "split"))
        and int(arrays["label"].max(initial=0)) < len(arrays["classes"])
        and BACKGROUND not in arrays["classes"].tolist()
        and all(float(arrays[key].ravel()[0]) > 0 for key in ("acc_lsb_per_g", "gyro_lsb_per_dps"))
    )
    if not sound:
        raise DataError(f"{path} has offsets, labels or scales that do not fit together.", HINT)


def _labelled(samples: npt.NDArray[np.float32], t_ms: npt.NDArray[np.int32], label: int) -> Recording:
    """Make a recording whose motion carries ``label``; other movement in it is unknown, the rest background."""
    t_us = (t_ms.astype(np.int64) - int(t_ms[0])) * 1000
    first, last, moving = find_motion(t_us, samples[:, 3:])
    labels = np.where(moving, UNKNOWN, 0).astype(np.int16)
    labels[first:last] = label
    return Recording(samples, t_us, labels, "", "", "above the wrist, strap as worn")


def _span(recording: Recording) -> tuple[int, int]:
    at = np.flatnonzero(recording.labels > 0)
    return int(at[0]), int(at[-1]) + 1


def _part(recording: Recording, first: int, last: int) -> Recording:
    return replace(
        recording,
        samples=recording.samples[first:last],
        t_us=recording.t_us[first:last] - recording.t_us[first],
        labels=recording.labels[first:last],
    )


def _cut(recording: Recording) -> Recording:
    """Cut the window of a recording: from at most 1.2 s before its motion to at most 0.2 s after it."""
    start, end = _span(recording)
    t = recording.t_us
    first = int(np.searchsorted(t, t[start] - round(_LEAD_S * 1e6)))
    last = int(np.searchsorted(t, t[end - 1] + round(_TAIL_S * 1e6), side="right"))
    return _part(recording, first, last)


def _rests(recordings: list[Recording]) -> list[Recording]:
    """Cut the background windows of a person: their ten longest resting starts of 0.7 to 2.5 s."""
    found = []
    for recording in recordings:
        moving = np.flatnonzero(recording.labels != 0)
        end = int(np.searchsorted(recording.t_us, recording.t_us[moving[0]] - 100_000))
        if end > 1 and recording.t_us[end - 1] >= _REST_S * 1e6:
            first = int(np.searchsorted(recording.t_us, recording.t_us[end - 1] - _REST_MOST_S * 1e6))
            found.append(_part(recording, first, end))
    return sorted(found, key=lambda r: -int(r.t_us[-1]))[:_REST_WINDOWS]


def _streams(recordings: list[Recording]) -> list[Recording]:
    """Join all recordings of a person, in a drawn order, sixteen to a stream (about 60 s)."""
    order = np.random.default_rng(len(recordings)).permutation(len(recordings)).tolist()
    parts = max(1, round(len(order) / _STREAM_RECORDINGS))
    return [join([recordings[int(i)] for i in part], 0) for part in np.array_split(order, parts)]
