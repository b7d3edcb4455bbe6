"""Importer of ``spsw``: real background from a watch on the wrist of 23 people (datasets/spsw/README.md)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from toolchain.errors import DataError
from toolchain.recordings.events import with_windows
from toolchain.recordings.flat import read_flat
from toolchain.recordings.grwd import data_root
from toolchain.recordings.recording import Collection, Recording

BACKGROUND = "none"
HINT = "Set TINYLTC_DATA to the folder that holds spsw/spsw_watch_100hz.npz (datasets/spsw/README.md)."
NOTES = (
    "Everything in it is background: sitting, standing up, walking, turning, sitting down.",
    "Axes: x towards the hand (it points down in walking people), z out of the back of the wrist: taken as they are.",
)
_WINDOWS = 8
"""Background windows of each recording: more would only repeat what its stream holds."""


def default_path() -> Path:
    """Return where the file is expected."""
    return data_root() / "spsw" / "spsw_watch_100hz.npz"


def load(path: Path | None = None) -> Collection:
    """Read the set at its own rate, in m/s^2, rad/s and wrist axes: streams of background. Raises DataError."""
    flat = read_flat(path or default_path(), HINT)
    execution = flat.extra.get("execution", np.arange(len(flat.subject)))
    if execution.shape != (len(flat.subject),):
        raise DataError(f"{flat.path}: key 'execution' needs one entry for each of the recordings.", HINT)
    streams = [
        Recording(
            flat.samples[rows],
            flat.t_us[rows],
            np.zeros(rows.stop - rows.start, np.int16),
            f"spsw{person}",
            f"execution {number}",
            "watch on the wrist",
            "stream",
        )
        for rows, person, number in zip(flat, flat.subject, execution.tolist(), strict=True)
    ]
    recordings = with_windows(streams, 0, _WINDOWS)
    return Collection("spsw", (BACKGROUND,), BACKGROUND, recordings, "recorded", "CC BY 4.0", NOTES)
