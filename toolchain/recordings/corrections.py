"""Corrections of labels, as the review page gives them: checked against the file, then applied whole or not at all.

    {"format": 1, "sha256": "of the .npz", "recordings": [
        {"recording": 3, "deleted": false, "spans": [{"first": 210, "last": 305, "label": "tap"}]}]}

``first`` and ``last`` are the first and last sample of the motion; ``label`` ``?`` marks what nobody knows. Everything
outside the spans of a recording that is named becomes background.
"""

from __future__ import annotations

import itertools
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from rich.console import Console

from toolchain.errors import DataError
from toolchain.files import read_json, sha256_of, validated
from toolchain.recordings.recording import UNKNOWN, Collection, Recording
from toolchain.recordings.storage import is_captured, load_captured, load_collection, save_captured, save_set
from toolchain.recordings.verdict import labelled

FORMAT = 1
UNKNOWN_LABEL = "?"
HINT = "Save the corrections again in the page that `tinyltc data review` makes."


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Span(_Strict):
    """A motion: its first and last sample, and its class."""

    first: int = Field(ge=0)
    last: int = Field(ge=0)
    label: str = Field(pattern=r"^[^\s,\"][^,\"\r\n\t\x00]{0,30}$")


class Correction(_Strict):
    """What becomes of one recording."""

    recording: int = Field(ge=0)
    deleted: bool = False
    spans: list[Span] = []


class Corrections(_Strict):
    """Everything that a review changed in one file."""

    format: Annotated[int, Field(ge=FORMAT, le=FORMAT)]
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    recordings: list[Correction]


def check(value: Any, where: str) -> Corrections:
    """Check JSON of a review; raises DataError that names what is wrong in it."""
    return validated(Corrections, value, where, DataError)


def apply(path: Path, corrections: Corrections) -> str:
    """Apply ``corrections`` to the recordings in ``path``; return what was done, in a sentence.

    The file as it was stays beside it with ``.bak`` at its end. Raises DataError when the corrections belong to another
    state of the file, or do not fit it; then nothing is written.
    """
    if sha256_of(path) != corrections.sha256:
        raise DataError(f"{path} changed since these corrections were made.", "Review it again.")
    captured = load_captured(path) if is_captured(path) else None
    collection = captured.collection() if captured else load_collection(path)
    new = _corrected(collection, corrections, path)
    kept = [r for r in new.recordings if r is not None]
    deleted = len(new.recordings) - len(kept)
    if not kept:
        raise DataError(f"The corrections delete every recording of {path}.", "Delete the file instead.")
    shutil.copyfile(path, path.with_name(path.name + ".bak"))
    if captured is not None:
        named = {c.recording for c in corrections.recordings if c.spans}
        takes = [
            replace(
                take,
                recording=recording,
                verdict=labelled(take.verdict) if i in named else take.verdict,
            )
            for i, (take, recording) in enumerate(zip(captured.takes, new.recordings, strict=True))
            if recording is not None
        ]
        save_captured(path, replace(captured, classes=new.classes, takes=tuple(takes)))
    else:
        save_set(path, replace(collection, classes=new.classes, recordings=tuple(kept)))
    changed = len(corrections.recordings) - deleted
    return f"{path}: {changed} recordings corrected, {deleted} deleted; as it was: {path.name}.bak"


@dataclass(frozen=True)
class _New:
    """Classes and recordings after the corrections; None: deleted."""

    classes: tuple[str, ...]
    recordings: list[Recording | None]


def _corrected(collection: Collection, corrections: Corrections, path: Path) -> _New:
    used = [span.label for c in corrections.recordings for span in c.spans if span.label != UNKNOWN_LABEL]
    classes = tuple(dict.fromkeys([*collection.classes, *used]))
    background = classes.index(collection.background)
    recordings: list[Recording | None] = list(collection.recordings)
    seen: set[int] = set()
    for correction in corrections.recordings:
        number = correction.recording
        if number >= len(recordings) or number in seen:
            raise DataError(f"{path} has no recording {number}, or it is corrected twice.", HINT)
        seen.add(number)
        recording = collection.recordings[number]
        if correction.deleted:
            recordings[number] = None
            continue
        labels = np.full(len(recording.labels), background, np.int16)
        for span in correction.spans:
            if not span.first <= span.last < len(labels):
                raise DataError(f"{path}: recording {number}: samples {span.first} to {span.last} are not in it.", HINT)
            label = UNKNOWN if span.label == UNKNOWN_LABEL else classes.index(span.label)
            if (labels[span.first : span.last + 1] != background).any():
                raise DataError(f"{path}: recording {number}: two motions overlap at sample {span.first}.", HINT)
            labels[span.first : span.last + 1] = label
        changed = replace(recording, labels=labels)
        if changed.kind == "window":
            changed.label(background)
        recordings[number] = changed
    return _New(classes, recordings)


def apply_file(path: Path, file: Path, console: Console) -> None:
    """Apply the corrections in the JSON ``file``; raises DataError as :func:`apply`."""
    value = read_json(file, DataError, HINT)
    console.print(apply(path, check(value, str(file))), highlight=False)


def current(collection: Collection) -> list[list[dict[str, Any]]]:
    """Return the spans of every recording as they are now, as corrections would give them."""
    background = collection.classes.index(collection.background)
    result = []
    for recording in collection.recordings:
        cuts = np.concatenate([[0], np.flatnonzero(np.diff(recording.labels)) + 1, [len(recording.labels)]])
        runs = [(int(a), int(b) - 1, int(recording.labels[a])) for a, b in itertools.pairwise(cuts)]
        result.append(
            [
                {"first": a, "last": b, "label": UNKNOWN_LABEL if label == UNKNOWN else collection.classes[label]}
                for a, b, label in runs
                if label != background
            ]
        )
    return result
