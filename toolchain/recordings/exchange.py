"""Recordings as text and back: ``tinyltc data export`` and ``import``."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from toolchain.recordings import csvset, storage
from toolchain.recordings.captured import files_of, merged
from toolchain.recordings.recording import Collection


def _collection(path: Path) -> Collection:
    files = files_of(path)
    if all(storage.is_captured(file) for file in files):
        return merged([storage.load_captured(file) for file in files], path.stem).collection()
    return storage.load_collection(files[0])


def to_csv(path: Path, out: Path, console: Console) -> None:
    """Write the recordings of a file, or of a folder of captured ones, to ``out``.

    Codes, device stamps and verdicts of a capture stay behind: text holds what trains.
    """
    collection = _collection(path)
    csvset.save(out, collection)
    _say(out, collection, console)


def from_csv(path: Path, out: Path, console: Console) -> None:
    """Write the recordings of a .csv, or of a folder of them, to ``out`` (docs/SPEC.md, 6)."""
    collection = csvset.load(path, cut=False)
    storage.save_set(out, collection)
    _say(out, collection, console)


def _say(out: Path, collection: Collection, console: Console) -> None:
    people = len({r.person for r in collection.recordings})
    console.print(f"{out}: {len(collection.recordings)} recordings of {people} people", highlight=False)
