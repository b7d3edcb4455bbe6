"""Training curves and the latency histogram."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from matplotlib.ticker import MaxNLocator

from toolchain.report.figure import BLUE, ORANGE, RED, RULE, SERIES, new_figure, style, to_svg
from toolchain.report.stages import Epoch

Values = npt.NDArray[np.float64]


def training_chart(epochs: list[Epoch]) -> str:
    """Draw loss and validation accuracy by epoch, one above the other; SVG."""
    number = [epoch.epoch for epoch in epochs]
    with style():
        figure = new_figure(4.6, 3.4)
        loss, accuracy = figure.subplots(2, 1, sharex=True)
        mark = "o" if len(epochs) < 2 else ""
        loss.plot(number, [epoch.loss for epoch in epochs], color=ORANGE, marker=mark, label="training")
        held_out = [epoch.validation_loss for epoch in epochs if epoch.validation_loss is not None]
        if len(held_out) == len(epochs):
            loss.plot(number, held_out, color=BLUE, marker=mark, label="validation")
            loss.legend()
        accuracy.plot(number, [epoch.validation_accuracy for epoch in epochs], color=BLUE, marker=mark)
        loss.set_ylabel("loss")
        loss.set_ylim(bottom=0)
        accuracy.set_ylabel("validation accuracy")
        accuracy.set_xlabel("epoch")
        accuracy.xaxis.set_major_locator(MaxNLocator(integer=True))
        for axes in (loss, accuracy):
            axes.grid(visible=True)
        return to_svg(figure, "training", "Training loss and validation accuracy by epoch")


def latency_chart(latency_us: Values, p99_9: float) -> str:
    """Draw how often each latency from data-ready to command occurred (us; at least one value); SVG."""
    with style():
        figure = new_figure(4.6, 2.6)
        axes = figure.subplots()
        low, high = float(latency_us.min()), float(latency_us.max())
        pad = max((high - low) * 0.05, high * 0.005, 1.0)
        counts, edges = np.histogram(latency_us, bins=40, range=(low - pad, high + pad))
        axes.stairs(counts, edges, fill=True, color=BLUE)
        axes.axvline(p99_9, color=RED, linestyle="--", linewidth=1)
        right = p99_9 > (low + high) / 2
        axes.annotate(
            "p99.9",
            (p99_9, 0.96),
            (-4 if right else 4, 0),
            xycoords=axes.get_xaxis_transform(),
            textcoords="offset points",
            va="top",
            ha="right" if right else "left",
            color=RED,
        )
        axes.set_yscale("symlog", linthresh=1)
        axes.set_ylim(0, counts.max() * 2)
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.minorticks_off()
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        axes.xaxis.set_major_locator(MaxNLocator(6))
        axes.set_xlabel("data-ready to command, µs")
        axes.set_ylabel("samples (log)")
        axes.grid(visible=True, axis="y")
        return to_svg(figure, "latency", "Histogram of the latency from data-ready to command")


def stage_chart(stages_us: Mapping[str, Values]) -> str:
    """Draw one histogram per stage over a common axis (us, logarithmic where stages differ much); SVG."""
    with style():
        figure = new_figure(4.6, 0.6 + 0.42 * len(stages_us))
        rows = figure.subplots(len(stages_us), 1, sharex=True, squeeze=False)[:, 0]
        least = max(min(float(values.min()) for values in stages_us.values()), 0.1)
        most = max(*(float(values.max()) for values in stages_us.values()), least * 2)
        bins = np.geomspace(least * 0.9, most * 1.1, 80)
        for index, (axes, (name, values)) in enumerate(zip(rows, stages_us.items(), strict=True)):
            counts, edges = np.histogram(np.maximum(values, least), bins=bins)
            axes.stairs(counts / counts.max(), edges, fill=True, color=SERIES[index % len(SERIES)])
            axes.set_ylabel(name, rotation=0, ha="right", va="center")
            axes.set_yticks([])
            axes.spines["left"].set_visible(False)
            axes.set_xscale("log")
            axes.grid(visible=True, axis="x", color=RULE)
        rows[-1].xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        rows[-1].minorticks_off()
        rows[-1].set_xlabel("µs (log); heights scaled per stage")
        return to_svg(figure, "stages", "Histogram of the time of each stage")
