"""Importer of ``npz``: any flat file of recordings (datasets/npz/README.md)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from toolchain.errors import DataError
from toolchain.recordings.events import with_windows
from toolchain.recordings.flat import HINT, Flat, read_flat
from toolchain.recordings.recording import Collection, Recording
from toolchain.recordings.whole import cut_up, labelled

BACKGROUND = "none"


def load(path: Path, background: str = BACKGROUND, *, whole: bool = False) -> Collection:
    """Read a flat file with its own stamps. Raises DataError with one sentence for what is wrong in it.

    With ``label`` a recording holds one gesture, or, where the label names ``background``, none; with ``y_sample`` it
    is a stream. ``background`` is put in front of the classes, or moved there. With ``whole`` the windows of labelled
    recordings are the recordings themselves.
    """
    flat = read_flat(path)
    classes = (background, *(name for name in flat.classes if name != background))
    new = np.array([classes.index(name) for name in flat.classes])
    axes = _axes(flat)
    samples = (flat.samples @ np.kron(np.eye(2), axes).T).astype(np.float32)
    recordings: tuple[Recording, ...]
    if flat.y_sample is not None:
        streams = [
            Recording(samples[rows], flat.t_us[rows], new[flat.y_sample[rows]].astype(np.int16), person, kind="stream")
            for rows, person in zip(flat, flat.subject, strict=True)
        ]
        recordings = with_windows(streams, 0)
    else:
        assert flat.label is not None
        made = [
            labelled(samples[rows], flat.t_us[rows], int(new[label]), person)
            for rows, label, person in zip(flat, flat.label.tolist(), flat.subject, strict=True)
        ]
        cut = cut_up(made)
        recordings = (*made, *cut[len(made) :]) if whole else cut
    return Collection(path.stem, classes, background, recordings, "recorded", "yours", gravity=flat.gravity)


def _axes(flat: Flat) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Wrist axes from the file's: key ``axes``, a rotation; without it they are the same."""
    axes = flat.extra.get("axes")
    if axes is None:
        return np.eye(3)
    sound = axes.shape == (3, 3) and axes.dtype.kind in "iuf" and np.isfinite(axes).all()
    if not sound or not np.allclose(axes @ axes.T, np.eye(3), atol=1e-3) or np.linalg.det(axes) < 0:
        raise DataError(
            f"{flat.path}: key 'axes' must be a 3x3 rotation matrix from the file's axes to the wrist's.", HINT
        )
    return axes.astype(np.float64)
