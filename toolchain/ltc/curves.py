"""``training.png``: loss and validation accuracy over the epochs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from toolchain.files import replacing


def draw_curves(path: Path, epochs: Sequence[dict[str, Any]], title: str) -> None:
    """Draw the history of training.json's ``epochs`` to a PNG, whole or not at all."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    # A Figure of its own, without pyplot: no window system, no global state.
    figure = Figure(figsize=(8, 3.2), dpi=110, layout="constrained")
    loss, accuracy = figure.subplots(1, 2)
    number = [epoch["epoch"] for epoch in epochs]
    loss.plot(number, [epoch["loss"] for epoch in epochs], label="training", marker=".")
    loss.plot(number, [epoch["validation_loss"] for epoch in epochs], label="validation", marker=".")
    loss.set(xlabel="epoch", ylabel="loss per weighted sample", title=title)
    loss.legend(frameon=False)
    accuracy.plot(number, [epoch["validation_accuracy"] for epoch in epochs], color="tab:green", marker=".")
    accuracy.set(xlabel="epoch", ylabel="end-of-window accuracy", title="validation people")
    for axes in (loss, accuracy):
        axes.grid(alpha=0.3)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.spines[["top", "right"]].set_visible(False)
    with replacing(path) as temporary:
        figure.savefig(temporary)
