"""The streaming timeline: the signal, the true gestures shaded, the device's commands as marks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.ticker import MaxNLocator

from toolchain.report.figure import BLUE, GREEN, GREY, INK, RED, new_figure, style, to_svg
from toolchain.report.stages import Timeline

ROW_S = 30.0
"""Seconds in one row of the figure."""
MAX_ROWS = 3
_POINTS = 700
"""Points per row: more than the page has pixels for would only make the file larger."""


def errors(timeline: Timeline) -> int:
    """Return missed gestures plus wrong commands."""
    return sum(not g.hit for g in timeline.truth) + sum(not c.correct for c in timeline.commands)


def _row_count(timeline: Timeline) -> int:
    # A last second does not deserve a row of its own.
    return max(1, min(MAX_ROWS, math.ceil((timeline.seconds - 1) / ROW_S)))


def drawn_s(timeline: Timeline) -> float:
    """Return how many seconds of the stream the figure shows."""
    return min(timeline.seconds, _row_count(timeline) * ROW_S)


def _thinned(
    values: npt.NDArray[np.float64], rate_hz: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Keep the largest value of each bin, so that a short peak does not vanish."""
    size = max(1, math.ceil(rate_hz * ROW_S / _POINTS))
    padded = np.pad(values, (0, -len(values) % size), mode="edge")
    return np.arange(len(padded) // size) * size / rate_hz, padded.reshape(-1, size).max(axis=1)


def timeline_chart(timeline: Timeline, name: str) -> str:
    """Draw the first MAX_ROWS * ROW_S seconds; SVG. Hits, misses and false activations differ in colour and shape."""
    count = _row_count(timeline)
    time, gyro = _thinned(np.asarray(timeline.signal.gyro, float), timeline.signal.rate_hz)
    top = max(float(gyro.max(initial=0.0)) * 1.05, 1.0)
    with style():
        figure = new_figure(9.2, 1.25 * count + 0.35)
        rows = figure.subplots(count, 1, squeeze=False)[:, 0]
        for index, axes in enumerate(rows):
            start = index * ROW_S
            end = start + ROW_S
            inside = (time >= start) & (time <= end)
            axes.plot(time[inside], gyro[inside], color=GREY, linewidth=0.8)
            axes.set_xlim(start, end)
            axes.set_ylim(0, top * 1.6)
            axes.set_yticks([t for t in MaxNLocator(3).tick_values(0.0, top) if 0.0 <= t <= top])
            axes.set_ylabel("rad/s")
            _marks(axes, timeline, start, end, top)
        rows[-1].set_xlabel("seconds")
        person = f"Timeline of {timeline.person}: {errors(timeline)} errors"
        return to_svg(figure, name, person)


def _marks(axes: Any, timeline: Timeline, start: float, end: float, top: float) -> None:
    for gesture in timeline.truth:
        if start <= gesture.start_s < end:
            colour = BLUE if gesture.hit else RED
            axes.axvspan(gesture.start_s, gesture.end_s, color=colour, alpha=0.22, linewidth=0)
            text = gesture.class_ if gesture.hit else f"missed {gesture.class_}"
            near_end = gesture.start_s > end - 2.5
            x = gesture.end_s if near_end else gesture.start_s
            axes.text(x, top * 1.58, text, va="top", ha="right" if near_end else "left", fontsize=8, color=INK)
    for command in timeline.commands:
        if start <= command.t_s < end:
            marker, colour = ("^", GREEN) if command.correct else ("X", RED)
            axes.plot([command.t_s], [top * 1.2], marker, color=colour, markersize=7, markeredgewidth=0)
            if not command.correct:
                near_end = command.t_s > end - 2.5
                axes.annotate(
                    command.class_,
                    (command.t_s, top * 1.2),
                    (-6 if near_end else 6, 0),
                    textcoords="offset points",
                    va="center",
                    ha="right" if near_end else "left",
                    fontsize=8,
                    color=RED,
                )
