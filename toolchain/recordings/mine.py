"""A few recordings of one's own, put into the training part of a set: new classes, or a new way of old ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from toolchain.errors import DataError
from toolchain.recordings.recording import UNKNOWN, Collection, Recording

FEWEST = 5
"""Recordings that a class of one's own needs."""
PREFIX = "mine-"


def gestures_of(mine: Collection) -> tuple[str, ...]:
    """Return the classes that ``mine`` has recordings of, without the background.

    Raises DataError where a class has fewer than FEWEST recordings, or where there is none at all.
    """
    background = mine.classes.index(mine.background)
    windows = [r.label(background) for r in mine.recordings if r.kind == "window"]
    counts = {name: windows.count(index) for index, name in enumerate(mine.classes) if index != background}
    for name, count in counts.items():
        if 0 < count < FEWEST:
            raise DataError(
                f"'{mine.name}' has {count} recordings of '{name}', expected at least {FEWEST}.", "Record more of it."
            )
    found = tuple(name for name, count in counts.items() if count)
    if not found:
        raise DataError(f"'{mine.name}' holds no recording of a gesture.", "Record at least five of each.")
    return found


def with_mine(train: Sequence[Recording], classes: Sequence[str], mine: Collection) -> tuple[Recording, ...]:
    """Return the training part ``train``, whose labels index ``classes``, with every recording of ``mine`` in it.

    Recordings of a class that ``mine`` has too are left out: one's own take their place; in streams such a motion
    becomes unknown. Raises DataError for a class of ``mine`` that is not one of ``classes``.
    """
    own = gestures_of(mine)
    for name in own:
        if name not in classes:
            raise DataError(f"The task has no class '{name}' of '{mine.name}'.", "Add it to [task] classes.")
    replaced = np.array([classes.index(name) for name in own])
    kept: list[Recording] = []
    for recording in train:
        hit = np.isin(recording.labels, replaced)
        if not hit.any():
            kept.append(recording)
        elif recording.kind == "stream":
            kept.append(replace(recording, labels=np.where(hit, UNKNOWN, recording.labels).astype(np.int16)))
    index = np.array([*(classes.index(name) if name in classes else UNKNOWN for name in mine.classes), UNKNOWN])
    added = [replace(r, labels=index[r.labels].astype(np.int16), person=PREFIX + r.person) for r in mine.recordings]
    return (*kept, *added)
