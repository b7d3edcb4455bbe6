"""Captured recordings: what the device sent beside the physical samples, and how a captured set is trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from toolchain.errors import DataError
from toolchain.recordings.events import windows_of
from toolchain.recordings.recording import UNKNOWN, Collection, Recording
from toolchain.recordings.verdict import Verdict

JOINED_S = 0.05
"""Recordings of a session that follow each other within this time are one stream: they were one."""


@dataclass(frozen=True)
class Raw:
    """What the device sent, row by row: ``codes`` int16 (T, 6) in device axes; ``device_us`` int64 (T,) its stamps;
    ``host_us`` int64 (T,) when each came to the host, by the host's monotonic clock; ``index`` int64 (T,) its count."""

    codes: npt.NDArray[np.int16]
    device_us: npt.NDArray[np.int64]
    host_us: npt.NDArray[np.int64]
    index: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Take:
    """One recording as it was captured: ``prompt`` is the class that was asked for, ``facts`` about its session."""

    recording: Recording
    raw: Raw
    verdict: Verdict
    prompt: str


@dataclass(frozen=True)
class Captured:
    """A captured set: takes in the order of their sessions. ``facts``: JSON text about how it was captured."""

    name: str
    classes: tuple[str, ...]
    background: str
    takes: tuple[Take, ...]
    source: str
    licence: str = "yours"
    facts: str = "{}"

    def collection(self) -> Collection:
        """Return the recordings as they stand, bad ones too."""
        takes = tuple(take.recording for take in self.takes)
        return Collection(self.name, self.classes, self.background, takes, self.source, self.licence)


def merged(sets: Sequence[Captured], name: str) -> Captured:
    """Return several captured sets as one; classes are matched by their names."""
    first = sets[0]
    classes = tuple(dict.fromkeys([first.background, *(c for s in sets for c in s.classes)]))
    takes: list[Take] = []
    for one in sets:
        if one.background != first.background:
            raise DataError(
                f"The background of '{one.name}' is '{one.background}', of '{first.name}' '{first.background}'.",
                "Sets can be merged that call their background the same.",
            )
        of = np.array([*(classes.index(c) for c in one.classes), UNKNOWN], np.int16)
        takes += [replace(t, recording=replace(t.recording, labels=of[t.recording.labels])) for t in one.takes]
    sources = ", ".join(dict.fromkeys(s.source for s in sets))
    return Captured(name, classes, first.background, tuple(takes), sources, first.licence)


def for_training(captured: Captured, with_bad: bool, *, whole: bool = False) -> Collection:
    """Return windows and streams of the good and suspect takes; ``with_bad``: of the bad ones too.

    Takes that followed each other are joined to the stream that they were; windows are cut around the gestures in it.
    With ``whole`` the windows are the takes themselves. How many were kept out stands in the warnings. Raises
    DataError when nothing is left.
    """
    kept = [take for take in captured.takes if with_bad or not take.verdict.bad]
    out = [take for take in captured.takes if take.verdict.bad]
    warnings: tuple[str, ...] = ()
    if out and not with_bad:
        reasons = "; ".join(dict.fromkeys(take.verdict.reasons[0] for take in out[:3]))
        warnings = (f"{len(out)} of {len(captured.takes)} recordings are bad and kept out ({reasons}).",)
    elif out:
        warnings = (f"{len(out)} of {len(captured.takes)} recordings are bad and trained on all the same.",)
    if not kept:
        raise DataError(
            f"All {len(out)} recordings of '{captured.name}' are bad: {out[0].verdict.reasons[0]}.",
            "Capture them again, or train on them with --with-bad.",
        )
    background = captured.classes.index(captured.background)
    streams = [_joined(run) for run in _runs(kept)]
    recordings: list[Recording] = []
    for stream in streams:
        recordings += [] if whole else windows_of(stream, background)
    if whole:
        recordings += [take.recording for take in kept if take.recording.kind == "window"]
    recordings += streams
    return replace(captured.collection(), recordings=tuple(recordings), warnings=warnings)


def _runs(takes: Sequence[Take]) -> list[list[Take]]:
    runs: list[list[Take]] = []
    for take in takes:
        before = runs[-1][-1] if runs else None
        r = take.recording
        if before is not None:
            b = before.recording
            gap_us = int(take.raw.device_us[0] - before.raw.device_us[-1])
            same = (r.person, r.session, r.mounting) == (b.person, b.session, b.mounting)
            if same and 0 < gap_us <= JOINED_S * 1e6:
                runs[-1].append(take)
                continue
        runs.append([take])
    return runs


def _joined(run: Sequence[Take]) -> Recording:
    stamps = np.concatenate([take.raw.device_us for take in run])
    return replace(
        run[0].recording,
        samples=np.concatenate([take.recording.samples for take in run]),
        t_us=stamps - stamps[0],
        labels=np.concatenate([take.recording.labels for take in run]),
        kind="stream",
    )


def files_of(path: Path) -> list[Path]:
    """Return the .npz files that ``path`` names: itself, or all in that folder; raises DataError when there is none."""
    files = sorted(path.glob("*.npz")) if path.is_dir() else [path]
    if not files:
        raise DataError(f"{path} holds no .npz file.", "Capture something into it: `tinyltc capture --set NAME`.")
    return files
