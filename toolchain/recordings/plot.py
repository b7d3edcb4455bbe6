"""Pictures of recordings: one example of every class, and a stream."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from toolchain.files import replacing
from toolchain.recordings.recording import UNKNOWN, DataSet, Recording

COLOURS = ("tab:red", "tab:green", "tab:blue")
"""x, y and z."""
GESTURES = ("#f6c85f", "#9dd866", "#8dd3c7", "#ca9bd6", "#f4a582", "#92c5de")
"""Shades of the gestures, in turn; unknown is grey."""


def spans(recording: Recording, background: int) -> list[tuple[int, int, int]]:
    """Return each run of one label that is not background as (first sample, last sample, label)."""
    cuts = np.flatnonzero(np.diff(recording.labels)) + 1
    runs = zip([0, *cuts.tolist()], [*(cuts - 1).tolist(), len(recording.labels) - 1], strict=True)
    return [(a, b, int(recording.labels[a])) for a, b in runs if recording.labels[a] != background]


def trace(axes: Any, recording: Recording, first: int, background: int) -> None:
    """Draw three channels from ``first`` on against seconds, with the labelled motions shaded."""
    seconds = (recording.t_us - recording.t_us[0]) * 1e-6
    for start, end, label in spans(recording, background):
        colour = "0.85" if label == UNKNOWN else GESTURES[label % len(GESTURES)]
        axes.axvspan(seconds[start], seconds[end], color=colour, alpha=0.5, linewidth=0)
    for i, name in enumerate("xyz"):
        axes.plot(seconds, recording.samples[:, first + i], COLOURS[i], linewidth=0.8, label=name)
    axes.set_xlim(0, max(float(seconds[-1]), 1e-3))
    axes.grid(alpha=0.25)


def draw(
    windows: Sequence[Recording], stream: Recording | None, classes: Sequence[str], background: int, path: Path
) -> None:
    """Draw ``windows`` side by side and ``stream`` below to ``path`` (the suffix is the format): m/s^2 and rad/s."""
    columns = max(1, min(len(windows), 6))
    rows = -(-len(windows) // columns)
    figure = Figure(figsize=(3.0 * columns, 3.6 * rows + (4.2 if stream is not None else 0.0)), layout="constrained")
    FigureCanvasAgg(figure)
    heights = [1.0] * (2 * rows) + ([1.2] * 2 if stream is not None else [])
    grid = figure.add_gridspec(len(heights), columns, height_ratios=heights)
    for i, window in enumerate(windows):
        for half, (first, unit) in enumerate(((0, "m/s²"), (3, "rad/s"))):
            axes = figure.add_subplot(grid[2 * (i // columns) + half, i % columns])
            trace(axes, window, first, background)
            if half == 0:
                axes.set_title(f"{classes[window.label(background)]}\n{window.person}", fontsize=9)
            if i % columns == 0:
                axes.set_ylabel(unit)
    if stream is not None:
        for half, (first, unit) in enumerate(((0, "m/s²"), (3, "rad/s"))):
            axes = figure.add_subplot(grid[2 * rows + half, :])
            trace(axes, stream, first, background)
            axes.set_ylabel(unit)
            if half == 0:
                axes.legend(loc="upper right", ncols=3, fontsize=8)
                _name_events(axes, stream, classes, background)
            else:
                axes.set_xlabel(f"s ({stream.person}, stream)")
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=100)


def _name_events(axes: Any, stream: Recording, classes: Sequence[str], background: int) -> None:
    for start, _, label in spans(stream, background):
        if label != UNKNOWN:
            when = float(stream.t_us[start] - stream.t_us[0]) * 1e-6
            axes.annotate(classes[label], (when, 1.01), xycoords=("data", "axes fraction"), fontsize=7, rotation=20)


def examples(dataset: DataSet) -> tuple[list[Recording], Recording | None]:
    """Return one training window of every class that has one, and one training stream, if there is any."""
    found: dict[int, Recording] = {}
    for recording in dataset.train:
        if recording.kind == "window":
            found.setdefault(recording.label(dataset.background), recording)
    stream = next((r for r in dataset.train if r.kind == "stream"), None)
    return [found[label] for label in sorted(found)], stream


def draw_set(dataset: DataSet, path: Path) -> None:
    """Draw the picture of a data set that ``tinyltc data`` shows."""
    windows, stream = examples(dataset)
    draw(windows, stream, dataset.classes, dataset.background, path)
