"""Recordings as one .npz file (docs/SPEC.md, 6). A file is not trusted: everything in it is checked."""

from __future__ import annotations

import json
import os
import zipfile
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import numpy as np

from toolchain.errors import DataError
from toolchain.files import read_npz, replacing
from toolchain.recordings.captured import Captured, Raw, Take
from toolchain.recordings.recording import Collection, Recording
from toolchain.recordings.verdict import verdict_of

FORMAT = 1
MAX_BYTES = 4 * 1024**3
"""A file that would unpack to more is refused before it is unpacked."""

_KEYS = {
    "format": ("i4", 0),
    "samples": ("f4", 2),
    "t_us": ("i8", 1),
    "labels": ("i2", 1),
    "offset": ("i8", 1),
    "kind": ("U", 1),
    "person": ("U", 1),
    "session": ("U", 1),
    "mounting": ("U", 1),
    "classes": ("U", 1),
    "background": ("U", 0),
    "name": ("U", 0),
    "source": ("U", 0),
    "licence": ("U", 0),
}
"""Key: (type, dimensions)."""
_CAPTURED = {
    "codes": ("i2", 2),
    "device_us": ("i8", 1),
    "host_us": ("i8", 1),
    "index": ("i8", 1),
    "prompt": ("U", 1),
    "verdict": ("U", 1),
    "capture": ("U", 0),
}
"""What a capture adds: all of these or none."""
_EACH_ROW = ("samples", "t_us", "labels", "codes", "device_us", "host_us", "index")
_EACH_RECORDING = ("kind", "person", "session", "mounting", "prompt", "verdict")


def save_set(path: Path, collection: Collection) -> None:
    """Write ``collection`` to ``path`` whole or not at all.

    Its notes and held-out people are not part of the format.
    """
    recordings = collection.recordings
    if not recordings:
        raise DataError(f"There are no recordings to write to {path}.")
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **_arrays(collection))


def save_captured(path: Path, captured: Captured) -> None:
    """Write ``captured`` with what the device sent and its verdicts, whole or not at all, and onto the disk."""
    if not captured.takes:
        raise DataError(f"There are no recordings to write to {path}.")
    raw = [take.raw for take in captured.takes]
    arrays = _arrays(captured.collection()) | {
        "codes": np.concatenate([r.codes for r in raw]),
        "device_us": np.concatenate([r.device_us for r in raw]),
        "host_us": np.concatenate([r.host_us for r in raw]),
        "index": np.concatenate([r.index for r in raw]),
        "prompt": np.array([take.prompt for take in captured.takes]),
        "verdict": np.array([json.dumps(take.verdict.to_dict()) for take in captured.takes]),
        "capture": np.array(captured.facts),
    }
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)
        file.flush()
        os.fsync(file.fileno())


def _arrays(collection: Collection) -> dict[str, Any]:
    recordings = collection.recordings
    lengths = [len(r.t_us) for r in recordings]
    return {
        "format": np.int32(FORMAT),
        "samples": np.concatenate([r.samples for r in recordings]),
        "t_us": np.concatenate([r.t_us for r in recordings]),
        "labels": np.concatenate([r.labels for r in recordings]),
        "offset": np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        "kind": np.array([r.kind for r in recordings]),
        "person": np.array([r.person for r in recordings]),
        "session": np.array([r.session for r in recordings]),
        "mounting": np.array([r.mounting for r in recordings]),
        "classes": np.array(collection.classes),
        "background": np.array(collection.background),
        "name": np.array(collection.name),
        "source": np.array(collection.source),
        "licence": np.array(collection.licence),
    }


def read_arrays(path: Path, hint: str) -> dict[str, np.ndarray[Any, Any]]:
    """Read every array of an .npz once, without pickles; raises DataError with ``hint`` for an unsound file."""
    return read_npz(path, DataError, hint, MAX_BYTES)


def keys_of(path: Path) -> set[str]:
    """Return the names of the arrays in an .npz without unpacking them; raises DataError for an unsound file."""
    hint = "Give an .npz file."
    try:
        with zipfile.ZipFile(path) as archive:
            return {name.removesuffix(".npy") for name in archive.namelist()}
    except FileNotFoundError:
        raise DataError(f"{path} does not exist.", hint) from None
    except (zipfile.BadZipFile, OSError, ValueError, RuntimeError) as reason:
        raise DataError(f"{path} is truncated or not an .npz of plain arrays ({reason}).", hint) from None


def load_collection(path: Path) -> Collection:
    """Read and check a file of section 6. Raises DataError that names the file and what is wrong in it."""
    hint = "Write it again with `tinyltc data --export`; docs/SPEC.md, section 6, gives the format."
    arrays = read_arrays(path, hint)
    _check(arrays, path, hint)
    return _collection(arrays, path, hint)


def is_captured(path: Path) -> bool:
    """Tell whether an .npz is of this format and holds what a capture adds; raises DataError for an unsound file."""
    return {"format", "verdict"} <= keys_of(path)


def load_captured(path: Path) -> Captured:
    """Read and check a captured set. Raises DataError for anything else, and for a damaged one."""
    hint = "Capture it again with `tinyltc capture`; docs/SPEC.md, section 6, gives the format."
    arrays = read_arrays(path, hint)
    _check(arrays, path, hint)
    if "verdict" not in arrays:
        raise DataError(f"{path} was not captured: it has no key 'verdict'.", hint)
    collection = _collection(arrays, path, hint)
    takes = []
    for i, recording in enumerate(collection.recordings):
        rows = slice(*arrays["offset"][i : i + 2].tolist())
        raw = Raw(*(arrays[key][rows] for key in ("codes", "device_us", "host_us", "index")))
        if (np.diff(raw.device_us) <= 0).any() or (np.diff(raw.index) <= 0).any():
            raise DataError(f"{path}: recording {i}: the device's stamps and indices must increase.", hint)
        try:
            verdict = verdict_of(str(arrays["verdict"][i]))
        except ValueError:
            raise DataError(f"{path}: recording {i}: its verdict is not readable.", hint) from None
        takes.append(Take(recording, raw, verdict, str(arrays["prompt"][i])))
    c = collection
    return Captured(c.name, c.classes, c.background, tuple(takes), c.source, c.licence, str(arrays["capture"]))


def _collection(arrays: dict[str, np.ndarray[Any, Any]], path: Path, hint: str) -> Collection:
    offset = arrays["offset"].tolist()
    recordings = []
    for i, (first, last) in enumerate(pairwise(offset)):
        kind = str(arrays["kind"][i])
        if kind not in ("window", "stream"):
            raise DataError(f"{path}: recording {i} is of kind '{kind}', expected 'window' or 'stream'.", hint)
        try:
            recording = Recording(
                arrays["samples"][first:last],
                arrays["t_us"][first:last],
                arrays["labels"][first:last],
                str(arrays["person"][i]),
                str(arrays["session"][i]),
                str(arrays["mounting"][i]),
                cast(Any, kind),
            )
        except DataError as reason:
            raise DataError(f"{path}: recording {i}: {reason.what}", reason.hint or hint) from None
        recordings.append(recording)
    text = {key: str(arrays[key]) for key in ("name", "background", "source", "licence")}
    classes = tuple(str(name) for name in arrays["classes"])
    try:
        return Collection(text["name"], classes, text["background"], tuple(recordings), text["source"], text["licence"])
    except DataError as reason:
        raise DataError(f"{path}: {reason.what}", reason.hint or hint) from None


def _check(arrays: dict[str, np.ndarray[Any, Any]], path: Path, hint: str) -> None:
    """Refuse missing or unknown keys, wrong types and shapes, and offsets that do not tile the samples."""
    keys = _KEYS | _CAPTURED if _CAPTURED.keys() & arrays.keys() else _KEYS
    missing, unknown = sorted(keys.keys() - arrays.keys()), sorted(arrays.keys() - keys.keys())
    if missing or unknown:
        what = f"lacks the key '{missing[0]}'" if missing else f"has the unknown key '{unknown[0]}'"
        raise DataError(f"{path} {what}.", hint)
    for key, (kind, dimensions) in keys.items():
        array = arrays[key]
        right = array.dtype.kind == "U" if kind == "U" else array.dtype == np.dtype(f"<{kind}")
        if not right or array.ndim != dimensions:
            raise DataError(
                f"{path}: key '{key}' is {array.dtype} with {array.ndim} dimensions, expected "
                f"{'text' if kind == 'U' else np.dtype(kind)} with {dimensions}.",
                hint,
            )
    if int(arrays["format"]) != FORMAT:
        raise DataError(f"{path} has format {int(arrays['format'])}, expected {FORMAT}.", hint)
    rows, offset = len(arrays["samples"]), arrays["offset"]
    wide = all(arrays[key].shape[1] == 6 for key in ("samples", "codes") if key in keys)
    if not wide or any(len(arrays[key]) != rows for key in _EACH_ROW if key in keys):
        raise DataError(f"{path} needs six columns, one stamp and one label for each of its {rows} samples.", hint)
    if rows and int(arrays["t_us"].min()) < 0:
        raise DataError(f"{path}: key 't_us' has negative stamps.", hint)
    if len(offset) < 2 or offset[0] != 0 or offset[-1] != rows or (offset[1:] <= offset[:-1]).any():
        raise DataError(f"{path}: key 'offset' must rise from 0 to the {rows} samples.", hint)
    for key in (key for key in _EACH_RECORDING if key in keys):
        if len(arrays[key]) != len(offset) - 1:
            raise DataError(f"{path}: key '{key}' needs one entry for each of the {len(offset) - 1} recordings.", hint)
