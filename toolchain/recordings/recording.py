"""The one recording type, and a data set of them split by person."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from toolchain.errors import DataError

UNKNOWN = -1
"""Label of a sample that nobody labelled."""


@dataclass(frozen=True)
class Recording:
    """One stretch of 6-axis samples of one person.

    ``samples``: float32 (T, 6), ax ay az in m/s^2 (gravity included), gx gy gz in rad/s, wrist axes.
    ``t_us``: int64 (T,), microseconds from the start, strictly increasing, may be irregular.
    ``labels``: int16 (T,), class index per sample, UNKNOWN where nobody knows; a gesture's label spans its motion.
    ``kind``: ``window`` (holds at most one gesture; scored at its end) or ``stream`` (scored as events).
    """

    samples: npt.NDArray[np.float32]
    t_us: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int16]
    person: str
    session: str = ""
    mounting: str = ""
    kind: Literal["window", "stream"] = "window"

    def __post_init__(self) -> None:
        """Refuse what no later stage could use."""
        where = f"recording of person '{self.person}' (session '{self.session}')"
        if self.samples.ndim != 2 or self.samples.shape[1] != 6 or not len(self.samples):
            raise DataError(f"The {where} has shape {self.samples.shape}, expected (T, 6) with T > 0.")
        if self.t_us.shape != (len(self.samples),) or self.labels.shape != (len(self.samples),):
            raise DataError(f"The {where} needs one stamp and one label per sample.")
        if not np.isfinite(self.samples).all():
            row = int(np.argwhere(~np.isfinite(self.samples))[0, 0])
            raise DataError(f"The {where} holds NaN or infinity at sample {row}.", "Record it again or cut it there.")
        if (np.diff(self.t_us) <= 0).any():
            row = int(np.argwhere(np.diff(self.t_us) <= 0)[0, 0]) + 1
            raise DataError(f"The {where} has a stamp that does not increase at sample {row}.", "Sort or drop it.")

    @property
    def seconds(self) -> float:
        """Length by its stamps."""
        return float(self.t_us[-1] - self.t_us[0]) * 1e-6

    def label(self, background: int) -> int:
        """Return the one class of a window: the class of its gesture, or ``background``."""
        present = np.unique(self.labels[(self.labels != background) & (self.labels != UNKNOWN)])
        if len(present) > 1:
            raise DataError(f"A window of person '{self.person}' holds {len(present)} gestures, expected at most one.")
        return int(present[0]) if len(present) else background


@dataclass(frozen=True)
class Collection:
    """Recordings that share their classes, not yet split: what an importer gives and a file holds.

    ``classes``: names that the labels index; ``background`` is one of them. ``test_people``: people whom the set's
    makers held out, empty when they left the split to us. ``gravity``: whether the accelerometer includes it; False
    only for sets whose makers removed it. ``warnings``: what whoever uses it must be told.
    """

    name: str
    classes: tuple[str, ...]
    background: str
    recordings: tuple[Recording, ...]
    source: str = ""
    licence: str = ""
    notes: tuple[str, ...] = field(default=())
    test_people: frozenset[str] = field(default=frozenset())
    gravity: bool = True
    warnings: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        """Refuse labels and a background that name no class."""
        if self.background not in self.classes:
            raise DataError(f"The background '{self.background}' of '{self.name}' is not one of its classes.")
        if len(set(self.classes)) != len(self.classes):
            raise DataError(f"The classes of '{self.name}' repeat.", "Give every class its own name.")
        for r in self.recordings:
            if r.labels.min() < UNKNOWN or r.labels.max() >= len(self.classes):
                raise DataError(
                    f"A recording of person '{r.person}' in '{self.name}' has labels {r.labels.min()} to "
                    f"{r.labels.max()}, expected {UNKNOWN} to {len(self.classes) - 1}."
                )


@dataclass(frozen=True)
class DataSet:
    """Recordings of one task, split so that no person is in two parts."""

    name: str
    classes: tuple[str, ...]
    background: int
    train: tuple[Recording, ...]
    validation: tuple[Recording, ...]
    test: tuple[Recording, ...]
    source: str = ""
    licence: str = ""
    notes: tuple[str, ...] = field(default=())
    warnings: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        """Refuse a split that shares a person, or a class that nobody performs in training."""
        parts = {
            "train": self.people(self.train),
            "validation": self.people(self.validation),
            "test": self.people(self.test),
        }
        for a, b in (("train", "validation"), ("train", "test"), ("validation", "test")):
            shared = parts[a] & parts[b]
            if shared:
                raise DataError(f"Person '{min(shared)}' is in both {a} and {b} of '{self.name}'.", "Split by person.")
        for part, people in parts.items():
            if not people:
                raise DataError(f"The {part} part of '{self.name}' is empty.", "Give more people or smaller fractions.")
        performed = set().union(*(np.unique(r.labels).tolist() for r in self.train))
        for index, name in enumerate(self.classes):
            if index not in performed:
                raise DataError(
                    f"Class '{name}' of '{self.name}' has no recordings among the training people.",
                    "Record it, or take it out of [task] classes.",
                )

    @staticmethod
    def people(recordings: Iterable[Recording]) -> set[str]:
        """Names of the people in ``recordings``."""
        return {recording.person for recording in recordings}
