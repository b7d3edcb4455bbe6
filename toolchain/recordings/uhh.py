"""Importer of ``uhh``: ten hand-held gestures as labelled streams, without gravity (datasets/uhh/README.md)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from toolchain.errors import DataError
from toolchain.recordings.events import with_windows
from toolchain.recordings.flat import read_flat
from toolchain.recordings.grwd import data_root
from toolchain.recordings.recording import Collection, Recording

BACKGROUND = "none"
RATE_HZ = 50.0
"""The set names no rate; 50 Hz is Android's 'game' rate. Every delay in seconds stands or falls with it."""
COLUMNS = 9
HINT = "Set TINYLTC_DATA to the folder that holds uhh/uhh.npz (datasets/uhh/README.md)."
NOTES = (
    "Linear acceleration: gravity was removed by the phone. A board's accelerometer includes it, so a network of this "
    "set is for comparison and does not fit a board.",
    "The set names no rate; 50 Hz is assumed.",
    "Axes: the phone's, as they are.",
)


def default_path() -> Path:
    """Return where the file is expected."""
    return data_root() / "uhh" / "uhh.npz"


def load(path: Path | None = None) -> Collection:
    """Read the set at 50 Hz, in m/s^2 (no gravity) and rad/s, phone axes: streams and their windows."""
    flat = read_flat(path or default_path(), HINT, fs_hz=RATE_HZ, gravity=False, columns=COLUMNS)
    if flat.y_sample is None or flat.classes[0] != BACKGROUND:
        raise DataError(f"{flat.path} is not the uhh set: it needs 'y_sample', and '{BACKGROUND}' as class 0.", HINT)
    gesture = flat.extra.get("gesture", np.arange(len(flat.subject)))
    if gesture.shape != (len(flat.subject),):
        raise DataError(f"{flat.path}: key 'gesture' needs one entry for each of the recordings.", HINT)
    streams = [
        Recording(
            flat.samples[rows],
            flat.t_us[rows],
            flat.y_sample[rows].astype(np.int16),
            f"uhh-{person}",
            f"gesture {which}",
            "phone in the hand",
            "stream",
        )
        for rows, person, which in zip(flat, flat.subject, gesture.tolist(), strict=True)
    ]
    recordings = with_windows(streams, 0)
    return Collection("uhh", flat.classes, BACKGROUND, recordings, "recorded", "MIT", NOTES, gravity=False)
