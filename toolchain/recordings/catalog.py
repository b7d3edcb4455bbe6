"""Data sets by name: what ``[data] set`` of a project file may say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from toolchain.errors import DataError
from toolchain.project import Data, Project, Task
from toolchain.recordings import csvset, grwd, npzset, spar, splits, spsw, storage, uhh, wrist
from toolchain.recordings.captured import files_of, for_training, merged
from toolchain.recordings.harmonize import harmonize
from toolchain.recordings.mine import gestures_of, with_mine
from toolchain.recordings.recording import UNKNOWN, Collection, DataSet, Recording
from toolchain.recordings.resample import resample

SETS = ("wrist", "grwd", "uhh", "spsw", "spar", "npz", "csv")
"""Names of the sets; ``npz`` and ``csv`` are files of yours."""
ALL_CLASSES = "*"
"""In [task] classes: every class of the set, in its order."""


def load_native(data: Data, rate_hz: float, *, whole: bool = False) -> Collection:
    """Load ``data.set`` with its own stamps (``wrist`` is simulated at ``rate_hz``).

    With ``whole``, sets of whole recordings keep them uncut: what evaluation is fed with. Raises DataError for an
    unknown set and for a missing or damaged file.
    """
    path = Path(data.path) if data.path else None
    if data.set in ("npz", "csv"):
        if path is None:
            raise DataError(f"The data set '{data.set}' is a file of yours.", "Name it with --path.")
        return csvset.load(path) if data.set == "csv" else _file(path, whole, data.with_bad)
    match data.set:
        case "wrist":
            return wrist.simulate(data.people or wrist.DEFAULT_PEOPLE, data.seed, rate_hz)
        case "grwd":
            return grwd.load(path, whole=whole)
        case "uhh":
            return uhh.load(path)
        case "spsw":
            return spsw.load(path)
        case "spar":
            return spar.load(path)
    if data.set.endswith(".npz"):
        return _file(Path(data.set), whole, data.with_bad)
    raise DataError(
        f"There is no data set '{data.set}'.", f"Data sets: {', '.join(SETS)}, or the path of an .npz file."
    )


def _file(path: Path, whole: bool, with_bad: bool = False) -> Collection:
    """A file of ours (docs/SPEC.md, 6), known by its key ``format``, or a flat one; or a folder of captured ones."""
    if path.is_dir() or storage.is_captured(path):
        files = files_of(path)
        return for_training(merged([storage.load_captured(f) for f in files], path.stem), with_bad, whole=whole)
    if "format" in storage.keys_of(path):
        return storage.load_collection(path)
    return npzset.load(path, whole=whole)


def load_collection(data: Data, rate_hz: float) -> Collection:
    """Load all recordings of ``data`` at ``rate_hz``; with ``data.also``, those of the other sets too, harmonized."""
    collections = [load_native(data, rate_hz)]
    collections += [load_native(Data(set=name, seed=data.seed), rate_hz) for name in data.also]
    native_hz = [_native_hz(c) for c in collections]
    even = [at_rate(c, rate_hz) for c in collections]
    return even[0] if len(even) == 1 else _mixed(harmonize(even, native_hz, rate_hz))


def at_rate(collection: Collection, rate_hz: float) -> Collection:
    """Return the set on a uniform grid of ``rate_hz``; as it is when it already has that rate (``wrist``)."""
    if collection.name == "wrist":
        return collection
    note = f"Resampled from its own stamps to a uniform grid of {rate_hz:g} Hz by linear interpolation."
    even = tuple(resample(r, rate_hz) for r in collection.recordings)
    return replace(collection, recordings=even, notes=(*collection.notes, note))


def _native_hz(collection: Collection) -> float:
    spans = [(len(r.t_us) - 1, r.seconds) for r in collection.recordings if len(r.t_us) > 1]
    return sum(count for count, _ in spans) / max(sum(seconds for _, seconds in spans), 1e-9)


def _mixed(collections: list[Collection]) -> Collection:
    """One collection of several; labels are mapped by the names of the classes."""
    first = collections[0]
    classes = tuple(dict.fromkeys(name for c in collections for name in c.classes))
    recordings: list[Recording] = []
    for c in collections:
        if c.background != first.background:
            raise DataError(
                f"The background of '{c.name}' is '{c.background}', of '{first.name}' '{first.background}'.",
                "Sets can be mixed that call their background the same.",
            )
        index = np.array([*(classes.index(name) for name in c.classes), UNKNOWN])
        recordings += [replace(r, labels=index[r.labels].astype(np.int16)) for r in c.recordings]
    return Collection(
        "+".join(c.name for c in collections),
        classes,
        first.background,
        tuple(recordings),
        ", ".join(dict.fromkeys(c.source for c in collections)),
        "; ".join(f"{c.name}: {c.licence}" for c in collections),
        tuple(dict.fromkeys(note for c in collections for note in c.notes)),
        frozenset().union(*(c.test_people for c in collections)),
        first.gravity,
        tuple(warning for c in collections for warning in c.warnings),
    )


def resolved(project: Project, rate_hz: float) -> Project:
    """Return ``project`` with the class ``*`` replaced by all classes of its set."""
    if ALL_CLASSES not in project.task.classes:
        return project
    collection = load_native(project.data, rate_hz)
    named = [name for name in project.task.classes if name != ALL_CLASSES]
    task = {**project.task.model_dump(), "classes": [*named, *(n for n in collection.classes if n not in named)]}
    return project.model_copy(update={"task": Task.model_validate(task)})


def select(collection: Collection, task: Task, *, lenient: bool = False) -> Collection:
    """Keep the classes of ``task``, in its order.

    Windows of other gestures are dropped; in streams their motion becomes unknown: neither trained nor scored.
    Raises DataError for a class that the set does not have, unless ``lenient``: evaluation takes what there is.
    """
    for name in task.classes:
        if name not in collection.classes and not lenient:
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

    With ``data.fold`` the test people are that fold of all people, and each mixed set is dealt by itself. Raises
    DataError for an unknown set, a missing or damaged file, an unknown class, a class without recordings, or too few
    people for the split. ``data.mine`` is a file of one's own recordings: all of them are trained on.
    """
    collection = select(load_collection(data, rate_hz), task, lenient=data.mine is not None)
    people = {r.person: r.mounting for r in collection.recordings}
    train, validation, test = _split(people, data, collection)

    def of(part: list[str]) -> tuple[Recording, ...]:
        return tuple(r for r in collection.recordings if r.person in part)

    trained = of(train)
    notes, warnings = collection.notes, collection.warnings
    if data.mine:
        own = at_rate(_file(Path(data.mine), whole=False, with_bad=data.with_bad), rate_hz)
        trained = with_mine(trained, collection.classes, own)
        warnings = (*warnings, *own.warnings)
        notes = (*notes, f"One's own recordings are trained on too: {', '.join(gestures_of(own))}.")
    return DataSet(
        collection.name,
        collection.classes,
        collection.classes.index(collection.background),
        trained,
        of(validation),
        of(test),
        collection.source,
        collection.licence,
        notes,
        warnings,
    )


def _split(people: Mapping[str, str], data: Data, collection: Collection) -> tuple[list[str], list[str], list[str]]:
    """Split each mixed set by itself, so that each is in every part in proportion."""
    prefixes = [name for name in data.also if name != data.set]
    groups: dict[str, dict[str, str]] = {}
    for name, worn in people.items():
        groups.setdefault(next((p for p in prefixes if name.startswith(p)), ""), {})[name] = worn
    parts: tuple[list[str], list[str], list[str]] = ([], [], [])
    for group in groups.values():
        if data.fold:
            made = splits.split_fold(group, data.fold, data.validation_people, data.seed)
        else:
            made = splits.split_people(
                group, data.validation_people, data.test_people, data.seed, collection.test_people
            )
        for part, names in zip(parts, made, strict=True):
            part.extend(names)
    return parts


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
        "notes": [*dataset.notes, *dataset.warnings],
    }


def _windows_by_class(recordings: Iterable[Recording], dataset: DataSet) -> dict[str, int]:
    labels = [r.label(dataset.background) for r in recordings if r.kind == "window"]
    counts = np.bincount(labels, minlength=len(dataset.classes)).tolist()
    return dict(zip(dataset.classes, counts, strict=True))
