"""Pictures of an evaluation: confusion, people, and a stream with its events and the decisions on it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from toolchain.evaluation.score import Heard, judge
from toolchain.files import replacing
from toolchain.ltc.evaluate import motions

RIGHT, WRONG, MISSED = "#2a7f3f", "#c0392b", "#e69f00"
SHOWN_S = 60.0
"""A timeline shows at most this much: the stretch with the most errors."""


def _save(figure: Figure, path: Path) -> None:
    FigureCanvasAgg(figure)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=110)


def draw_confusion(table: npt.NDArray[np.int64], classes: Sequence[str], title: str, path: Path) -> None:
    """Draw recordings: truth by last decision, shaded by the share of the row."""
    size = 0.55 * len(classes) + 2.6
    figure = Figure(figsize=(size + 0.8, size), layout="constrained")
    axes = figure.subplots()
    share = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    for row, column in np.argwhere(table > 0).tolist():
        colour = "white" if share[row, column] > 0.6 else "black"
        axes.text(column, row, str(table[row, column]), ha="center", va="center", fontsize=8, color=colour)
    axes.set_xticks(range(len(classes)), classes, rotation=45, ha="right", fontsize=8)
    axes.set_yticks(range(len(classes)), classes, fontsize=8)
    axes.set(xlabel="last decision other than none", ylabel="truth", title=title)
    _save(figure, path)


def draw_people(people: Sequence[dict[str, Any]], title: str, path: Path) -> None:
    """Draw accuracy, or event recall where there are no recordings, of each person, the worst in front."""
    key = "accuracy" if any(one["accuracy"] is not None for one in people) else "event_recall"
    known = sorted((one for one in people if one[key] is not None), key=lambda one: float(one[key]))
    if not known:
        return
    figure = Figure(figsize=(max(4.5, 0.32 * len(known) + 1.5), 3.4), layout="constrained")
    axes = figure.subplots()
    values = [float(one[key]) for one in known]
    axes.bar(range(len(known)), values, color=[WRONG] + ["#4c78a8"] * (len(known) - 1))
    axes.set_xticks(range(len(known)), [one["person"] for one in known], rotation=90, fontsize=7)
    axes.axhline(float(np.mean(values)), color="0.3", linewidth=0.8, linestyle="--")
    axes.set(ylim=(max(0.0, min(values) - 0.05), 1.0), ylabel=key.replace("_", " "), title=title)
    axes.grid(axis="y", alpha=0.3)
    _save(figure, path)


def most_telling(heard: Sequence[Heard], background: int) -> Heard | None:
    """Return the stream with the most errors, or None without streams."""
    streams = [one for one in heard if one.recording.kind == "stream"]

    def errors(one: Heard) -> int:
        verdicts = judge(one, background)
        events = len(motions(one.recording.labels, background))
        return sum(v.false for v in verdicts) + events - sum(v.event is not None for v in verdicts)

    return max(streams, key=errors) if streams else None


def draw_timeline(heard: Heard, background: int, classes: Sequence[str], path: Path) -> None:
    """Draw a stream: signal, true events, the class that wins at every moment, and every command on it."""
    recording = heard.recording
    seconds = (recording.t_us - recording.t_us[0]) * 1e-6
    verdicts = judge(heard, background)
    answered = {v.event for v in verdicts}
    events = motions(recording.labels, background)
    start = _busiest(seconds, recording.t_us, verdicts, events, answered)
    figure = Figure(figsize=(15, 5.6), layout="constrained")
    acc, gyro, said = figure.subplots(3, 1, sharex=True, gridspec_kw={"height_ratios": [1, 1, 1.5]})
    acc.plot(seconds, np.linalg.norm(recording.samples[:, :3], axis=1), color="0.25", linewidth=0.7)
    acc.set_ylabel("acc, m/s²")
    gyro.plot(seconds, np.linalg.norm(recording.samples[:, 3:], axis=1), color="0.25", linewidth=0.7)
    gyro.set_ylabel("gyro, rad/s")
    for index, (first, last, label) in enumerate(events):
        colour = RIGHT if index in answered else MISSED
        for axes in (acc, gyro):
            axes.axvspan(seconds[first], seconds[last - 1], color=colour, alpha=0.18, linewidth=0)
        said.plot([seconds[first], seconds[last - 1]], [label, label], color=colour, linewidth=9, alpha=0.35)
    said.plot(seconds, heard.winner, color="#4c78a8", linewidth=0.9, drawstyle="steps-post")
    for v in verdicts:
        when = (v.stamp - int(recording.t_us[0])) * 1e-6
        colour = RIGHT if v.event is not None else WRONG if v.false else "0.6"
        said.plot([when], [v.command], marker="o" if v.event is not None else "X", color=colour, markersize=8)
        for axes in (acc, gyro):
            axes.axvline(when, color=colour, linewidth=0.8)
    said.set_yticks(range(len(classes)), classes, fontsize=8)
    said.set_ylim(-0.6, len(classes) - 0.4)
    said.grid(alpha=0.25)
    end = min(start + SHOWN_S, float(seconds[-1]))
    said.set_xlim(start, max(end, start + 1e-3))
    said.set_xlabel(
        "s     band: true event (green: answered, orange: missed); line: winner; "
        "dot: command that answers; cross: false activation (grey: nobody labelled that moment)"
    )
    hits = sum(v.event is not None for v in verdicts)
    false = sum(v.false for v in verdicts)
    acc.set_title(
        f"{recording.person}: the stream with the most errors, {hits} of {len(events)} events answered, "
        f"{false} false activations in {recording.seconds:.0f} s",
        fontsize=10,
    )
    _save(figure, path)


def _busiest(
    seconds: npt.NDArray[np.float64],
    t_us: npt.NDArray[np.int64],
    verdicts: Sequence[Any],
    events: Sequence[tuple[int, int, int]],
    answered: set[int | None],
) -> float:
    """Start of the stretch of SHOWN_S with the most errors."""
    length = float(seconds[-1])
    if length <= SHOWN_S:
        return 0.0
    wrong = [(v.stamp - int(t_us[0])) * 1e-6 for v in verdicts if v.false]
    wrong += [float(seconds[first]) for i, (first, _, _) in enumerate(events) if i not in answered]
    starts = np.arange(0, length - SHOWN_S + 1, 5.0)
    counts = [sum(start <= when <= start + SHOWN_S for when in wrong) for start in starts]
    return float(starts[int(np.argmax(counts))])
