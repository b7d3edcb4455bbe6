"""Recordings as one .npz file (docs/SPEC.md, 6). A file is not trusted: everything in it is checked."""

from __future__ import annotations

import zipfile
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import numpy as np

from toolchain.errors import DataError
from toolchain.files import read_npz, replacing
from toolchain.recordings.recording import Collection, Recording

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


def save_set(path: Path, collection: Collection) -> None:
    """Write ``collection`` to ``path`` whole or not at all.

    Its notes and held-out people are not part of the format.
    """
    recordings = collection.recordings
    if not recordings:
        raise DataError(f"There are no recordings to write to {path}.")
    lengths = [len(r.t_us) for r in recordings]
    arrays: dict[str, Any] = {
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
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)


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
    missing, unknown = sorted(_KEYS.keys() - arrays.keys()), sorted(arrays.keys() - _KEYS.keys())
    if missing or unknown:
        what = f"lacks the key '{missing[0]}'" if missing else f"has the unknown key '{unknown[0]}'"
        raise DataError(f"{path} {what}.", hint)
    for key, (kind, dimensions) in _KEYS.items():
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
    if arrays["samples"].shape[1] != 6 or len(arrays["t_us"]) != rows or len(arrays["labels"]) != rows:
        raise DataError(f"{path} needs six columns, one stamp and one label for each of its {rows} samples.", hint)
    if rows and int(arrays["t_us"].min()) < 0:
        raise DataError(f"{path}: key 't_us' has negative stamps.", hint)
    if len(offset) < 2 or offset[0] != 0 or offset[-1] != rows or (offset[1:] <= offset[:-1]).any():
        raise DataError(f"{path}: key 'offset' must rise from 0 to the {rows} samples.", hint)
    for key in ("kind", "person", "session", "mounting"):
        if len(arrays[key]) != len(offset) - 1:
            raise DataError(f"{path}: key '{key}' needs one entry for each of the {len(offset) - 1} recordings.", hint)
