"""Data sets by name: what ``[data] set`` of a project file may say."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from toolchain.errors import DataError
from toolchain.project import Data, Task
from toolchain.recordings import grwd, splits, storage, wrist
from toolchain.recordings.recording import UNKNOWN, Collection, DataSet, Recording
from toolchain.recordings.resample import resample

SETS = ("wrist", "grwd")
"""Names of the built-in sets."""


def load_collection(data: Data, rate_hz: float) -> Collection:
    """Load all recordings of ``data.set`` (a name of SETS, or the path of an .npz of ours) at ``rate_hz``."""
    if data.set == "wrist":
        return wrist.simulate(data.people or wrist.DEFAULT_PEOPLE, data.seed, rate_hz)
    if data.set == "grwd":
        collection = grwd.load()
    elif data.set.endswith(".npz"):
        collection = storage.load_collection(Path(data.set))
    else:
        raise DataError(
            f"There is no data set '{data.set}'.", f"Data sets: {', '.join(SETS)}, or the path of an .npz file."
        )
    note = f"Resampled from its own stamps to a uniform grid of {rate_hz:g} Hz by linear interpolation."
    even = tuple(resample(r, rate_hz) for r in collection.recordings)
    return replace(collection, recordings=even, notes=(*collection.notes, note))


def select(collection: Collection, task: Task) -> Collection:
    """Keep the classes of ``task``, in its order.

    Windows of other gestures are dropped; in streams their motion becomes unknown: neither trained nor scored.
    Raises DataError for a class that the set does not have.
    """
    for name in task.classes:
        if name not in collection.classes:
            raise DataError(
                f"The data set '{collection.name}' has no class '{name}'.",
                f"Its classes: {', '.join(collection.classes)}.",
            )
    if task.background != collection.background:
        raise DataError(
            f"The task's background '{task.background}' is '{collection.background}' in '{collection.name}'.",
            f"Set [task] background to '{collection.background}'.",
        )
    index = np.array([task.classes.index(c) if c in task.classes else UNKNOWN for c in collection.classes] + [UNKNOWN])
    kept = []
    for r in collection.recordings:
        labels = index[r.labels].astype(np.int16)
        if r.kind == "stream" or ((labels == UNKNOWN) == (r.labels == UNKNOWN)).all():
            kept.append(replace(r, labels=labels))
    return replace(collection, classes=tuple(task.classes), recordings=tuple(kept))


def load_set(data: Data, task: Task, rate_hz: float) -> DataSet:
    """Load the data set of ``data`` at ``rate_hz`` with the classes of ``task``, split by person.

    Raises DataError for an unknown set, a missing or damaged file, an unknown class, a class without recordings, or
    too few people for the split.
    """
    collection = select(load_collection(data, rate_hz), task)
    people = {r.person: r.mounting for r in collection.recordings}
    train, validation, test = splits.split_people(
        people, data.validation_people, data.test_people, data.seed, collection.test_people
    )

    def of(part: list[str]) -> tuple[Recording, ...]:
        return tuple(r for r in collection.recordings if r.person in part)

    return DataSet(
        collection.name,
        collection.classes,
        collection.classes.index(collection.background),
        of(train),
        of(validation),
        of(test),
        collection.source,
        collection.licence,
        collection.notes,
    )


def as_collection(dataset: DataSet) -> Collection:
    """All recordings of ``dataset`` as one collection, in the order train, validation, test."""
    return Collection(
        dataset.name,
        dataset.classes,
        dataset.classes[dataset.background],
        dataset.train + dataset.validation + dataset.test,
        dataset.source,
        dataset.licence,
        dataset.notes,
    )


def card(dataset: DataSet, rate_hz: float) -> dict[str, Any]:
    """Return the data card (data.json): who, what, how much, from where."""
    parts = {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}

    def count(kind: str) -> dict[str, int]:
        return {part: sum(r.kind == kind for r in recordings) for part, recordings in parts.items()}

    return {
        "name": dataset.name,
        "source": dataset.source,
        "licence": dataset.licence,
        "classes": list(dataset.classes),
        "background": dataset.classes[dataset.background],
        "rate_hz": rate_hz,
        "people": {part: sorted(dataset.people(recordings)) for part, recordings in parts.items()},
        "windows": count("window"),
        "streams": count("stream"),
        "seconds": {part: round(sum(r.seconds for r in recordings), 3) for part, recordings in parts.items()},
        "windows_by_class": {part: _windows_by_class(recordings, dataset) for part, recordings in parts.items()},
        "notes": list(dataset.notes),
    }


def _windows_by_class(recordings: Iterable[Recording], dataset: DataSet) -> dict[str, int]:
    labels = [r.label(dataset.background) for r in recordings if r.kind == "window"]
    counts = np.bincount(labels, minlength=len(dataset.classes)).tolist()
    return dict(zip(dataset.classes, counts, strict=True))
