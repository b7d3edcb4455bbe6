"""Importer of ``grwd``: ten whole gestures of real people, an IMU above the wrist (datasets/grwd/README.md)."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from toolchain.errors import DataError
from toolchain.recordings.flat import Flat, read_flat
from toolchain.recordings.recording import Collection, Recording
from toolchain.recordings.whole import cut_up, labelled

BACKGROUND = "none"
DEFAULT_ROOT = Path(__file__).resolve().parents[3] / "shared" / "datasets"
HINT = "Set TINYLTC_DATA to the folder that holds grwd/grwd.npz (datasets/grwd/README.md)."
NOTES = (
    "Axes: y of the set points along the forearm to the hand; mapped to wrist axes as x = y, y = -x, z = z.",
    "The set has no class 'none': labels come from the gyroscope's energy, and the resting start is background.",
    "Windows end at most 0.2 s after the motion; a quarter of the recordings stop while the hand still moves.",
    "Streams are joined recordings of one person with made-up rest in between, not one continuous recording.",
    "The gyroscope of the set clips at 250 deg/s, in about a fifth of the recordings.",
    "Test people are the set's own split 1.",
)

TO_WRIST = np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
"""Wrist axes from the set's: a swipe up turns about +x and lifts +y, so y points to the hand; z is out of the back."""


def data_root() -> Path:
    """Return the folder of the real sets: ``$TINYLTC_DATA``, else ``../shared/datasets`` beside the repository."""
    return Path(os.environ.get("TINYLTC_DATA") or DEFAULT_ROOT)


def default_path() -> Path:
    """Return where the file is expected: ``$TINYLTC_DATA/grwd/grwd.npz``."""
    return data_root() / "grwd" / "grwd.npz"


def load(path: Path | None = None, *, whole: bool = False) -> Collection:
    """Read the set with its own irregular stamps, in m/s^2, rad/s and wrist axes. Raises DataError.

    Classes: ``none``, then the set's. Windows hold one gesture, or rest; streams are joined recordings. With
    ``whole`` the windows are the recordings as they were made, from their first to their last sample.
    """
    flat = read_flat(path or default_path(), HINT)
    if flat.label is None or BACKGROUND in flat.classes:
        raise DataError(f"{flat.path} is not of the grwd set: it needs 'label', and no class '{BACKGROUND}'.", HINT)
    recordings = _recordings(flat)
    cut = cut_up(recordings)
    if whole:
        cut = (*recordings, *(r for r in cut[len(recordings) :]))
    return Collection(
        "grwd",
        (BACKGROUND, *flat.classes),
        BACKGROUND,
        cut,
        "recorded",
        "none stated: evaluate only, never redistribute",
        NOTES,
        _held_out(flat),
    )


def _recordings(flat: Flat) -> tuple[Recording, ...]:
    assert flat.label is not None
    samples = (flat.samples @ np.kron(np.eye(2), TO_WRIST).T).astype(np.float32)
    worn = "above the wrist, strap as worn"
    return tuple(
        labelled(samples[rows], flat.t_us[rows], label + 1, f"grwd{person}", worn)
        for rows, label, person in zip(flat, flat.label.tolist(), flat.subject, strict=True)
    )


def _held_out(flat: Flat) -> frozenset[str]:
    """People of split 1; a file without the key holds nobody out."""
    split = flat.extra.get("split")
    if split is None:
        return frozenset()
    if split.shape != (len(flat.subject),) or split.dtype.kind not in "iu":
        raise DataError(f"{flat.path}: key 'split' needs one integer for each of the recordings.", HINT)
    return frozenset(f"grwd{person}" for person, part in zip(flat.subject, split.tolist(), strict=True) if part == 1)
