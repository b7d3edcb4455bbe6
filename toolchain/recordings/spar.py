"""Importer of ``spar``: shoulder exercises with a watch, the recordings inside ``seglearn`` (datasets/spar/README.md).

The file is a pickle. It is read with an unpickler that knows numpy's array constructors and nothing else, so it cannot
run code; seglearn itself is never imported.
"""

from __future__ import annotations

import importlib.util
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from toolchain.board import STANDARD_GRAVITY
from toolchain.errors import DataError, MissingToolError
from toolchain.recordings.events import with_windows
from toolchain.recordings.recording import UNKNOWN, Collection, Recording
from toolchain.recordings.whole import find_motion, part

BACKGROUND = "none"
RATE_HZ = 50.0
NOTES = (
    "About 20 repetitions of one exercise in each recording; the whole of its movement carries the exercise's label.",
    "The set holds no everyday background: what rests before and after the exercise is all there is of 'none'.",
    "Axes and the accelerometer's sign are taken for those of the watch's maker; the set does not state them.",
)
_CHUNK_S = 4.0
"""Windows of an exercise: its repetitions take two seconds and less."""
_ALLOWED = {
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy.core.multiarray", "scalar"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("_codecs", "encode"),
}
_KEYS = ("X", "y", "side", "subject", "y_labels")


class _Arrays(pickle.Unpickler):
    """Builds numpy arrays and plain containers; every other name is refused."""

    def find_class(self, module_name: str, global_name: str) -> Any:
        if (module_name, global_name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"{module_name}.{global_name} is no array")
        return super().find_class(module_name.replace("numpy.core", "numpy._core"), global_name)


def default_path() -> Path:
    """Return where the installed package holds the file; raises MissingToolError without it."""
    found = importlib.util.find_spec("seglearn")
    if found is None or found.origin is None:
        raise MissingToolError(
            "The set 'spar' ships inside the package seglearn, which is not installed.",
            "Install it: pip install 'tinyltc[spar]'.",
        )
    return Path(found.origin).parent / "data" / "watch_dataset.npy"


def load(path: Path | None = None) -> Collection:
    """Read the set at 50 Hz, in m/s^2, rad/s and wrist axes. Raises MissingToolError and DataError."""
    path = path or default_path()
    arrays = _read(path)
    signals, classes = arrays["X"], [str(name).lower() for name in arrays["y_labels"]]
    streams = []
    for i, signal in enumerate(signals):
        label, person = int(arrays["y"][i]), int(arrays["subject"][i])
        if not 0 <= label < len(classes):
            raise DataError(f"{path}: recording {i} has label {label}, expected 0 to {len(classes) - 1}.")
        turned = float(arrays["side"][i]) == 1.0
        streams.append(_stream(_samples(signal, i, path, turned), label + 1, f"spar{person:02d}", turned))
    windows = [window for stream in streams for window in _windows(stream)]
    names = (BACKGROUND, *classes)
    return Collection("spar", names, BACKGROUND, (*windows, *streams), "recorded", "BSD-3-Clause", NOTES)


def _read(path: Path) -> dict[str, Any]:
    hint = "Install seglearn again: pip install --force-reinstall 'tinyltc[spar]'."
    try:
        with path.open("rb") as file:
            if np.lib.format.read_magic(file) != (1, 0):
                raise DataError(f"{path} is not the file of seglearn.", hint)
            np.lib.format.read_array_header_1_0(file)
            boxed = _Arrays(file, encoding="latin1").load()
            value = boxed.item() if isinstance(boxed, np.ndarray) and boxed.shape == () else None
    except FileNotFoundError:
        raise DataError(f"{path} does not exist.", hint) from None
    except (pickle.UnpicklingError, ValueError, EOFError, TypeError, AttributeError, IndexError, KeyError) as reason:
        raise DataError(f"{path} is truncated or holds something other than arrays ({reason}).", hint) from None
    if not isinstance(value, dict) or not all(key in value for key in _KEYS) or not len(value["X"]):
        raise DataError(f"{path} lacks one of {', '.join(_KEYS)}.", hint)
    if any(len(value[key]) != len(value["X"]) for key in ("y", "side", "subject")):
        raise DataError(f"{path}: y, side and subject need one entry for each recording.", hint)
    return value


def _samples(signal: Any, index: int, path: Path, turned: bool) -> npt.NDArray[np.float32]:
    array = np.asarray(signal)
    if array.ndim != 2 or array.shape[1] != 6 or len(array) < 2 or array.dtype.kind != "f":
        raise DataError(f"{path}: recording {index} is {array.dtype} of shape {array.shape}, expected (T, 6).")
    if not np.isfinite(array).all():
        raise DataError(f"{path}: recording {index} holds NaN or infinity.")
    # The watch reports acceleration in g with the sign of gravity. On the right arm its x points to the elbow.
    turn = np.array([-1.0, -1.0, 1.0]) if turned else np.ones(3)
    return np.concatenate([array[:, :3] * (-STANDARD_GRAVITY * turn), array[:, 3:] * turn], axis=1).astype(np.float32)


def _stream(samples: npt.NDArray[np.float32], label: int, person: str, turned: bool) -> Recording:
    t_us = np.rint(np.arange(len(samples)) * (1e6 / RATE_HZ)).astype(np.int64)
    first, last, moving = find_motion(t_us, samples[:, 3:])
    labels = np.where(moving, UNKNOWN, 0).astype(np.int16)
    labels[first:last] = label
    worn = "watch, right arm" if turned else "watch, left arm"
    return Recording(samples, t_us, labels, person, "", worn, "stream")


def _windows(stream: Recording) -> list[Recording]:
    """Cut the exercise into windows of four seconds, and background where the stream has it."""
    at = np.flatnonzero(stream.labels > 0)
    size = round(_CHUNK_S * RATE_HZ)
    starts = range(int(at[0]), int(at[-1]) + 2 - size, size)
    chunks = [part(stream, start, start + size) for start in starts]
    rests = [r for r in with_windows([stream], 0)[:-1] if not r.labels.any()]
    return [*(replace(chunk, kind="window") for chunk in chunks), *rests]
