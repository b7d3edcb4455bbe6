"""The Pareto plot: score over cycles and over flash, the front drawn, the budget as a line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt

from toolchain.files import replacing
from toolchain.search.budget import Budget
from toolchain.search.pareto import Trial

_COLOURS = {"semi_implicit": "#0072b2", "exponential": "#009e73", "euler": "#d55e00", "rk4": "#cc79a7"}
_GREY = "#8a8a8a"
_AXES = (("cycles", "cycles of a step (estimate)", 1e-3, "k"), ("flash_bytes", "flash", 1 / 1024, " KB"))


def draw(path: Path, trials: Sequence[Trial], budget: Budget, title: str) -> None:
    """Write the picture of ``trials`` to ``path``."""
    done = [trial for trial in trials if trial.score is not None]
    figure, axes = plt.subplots(1, 2, figsize=(11, 4.6), sharey=True, constrained_layout=True)
    for axis, (field, label, factor, unit) in zip(axes, _AXES, strict=True):
        _panel(axis, done, trials, field, factor)
        limit = getattr(budget, field)
        drawn = [getattr(trial.cost, field) for trial in trials]
        # A limit far beyond every network would only squeeze the picture.
        if limit is not None and drawn and limit < 2 * max(drawn):
            axis.axvline(limit * factor, color=_GREY, linestyle=":", linewidth=1.2)
            axis.annotate(
                "budget",
                (limit * factor, 1),
                xycoords=("data", "axes fraction"),
                fontsize=8,
                color=_GREY,
                xytext=(-3, -4),
                textcoords="offset points",
                ha="right",
                va="top",
            )
        axis.set_xlabel(f"{label} [{unit.strip()}]")
        axis.grid(alpha=0.25)
        axis.margins(x=0.12, y=0.15)
    axes[0].set_ylabel("accuracy on people not trained on")
    handles = [
        plt.Line2D([], [], color=_COLOURS[solver], marker="o", linestyle="", label=solver)
        for solver in _COLOURS
        if any(trial.one.solver == solver for trial in done)
    ]
    handles.append(plt.Line2D([], [], color="black", linewidth=1, label="front of this panel"))
    if any(trial.beyond for trial in trials):
        handles.append(
            plt.Line2D([], [], color=_GREY, marker="|", linestyle="", label="beyond the budget: not trained")
        )
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), fontsize=8, frameon=False)
    figure.suptitle(title, fontsize=10)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=130)
    plt.close(figure)


def _panel(axis: Any, done: Sequence[Trial], trials: Sequence[Trial], field: str, factor: float) -> None:
    for trial in done:
        axis.plot(
            getattr(trial.cost, field) * factor,
            trial.score,
            marker="o",
            markersize=8 if trial.front else 5,
            color=_COLOURS[trial.one.solver],
            markeredgecolor="black" if trial.front else "none",
            zorder=3,
        )
    best: list[Trial] = []
    for trial in sorted(done, key=lambda one: (getattr(one.cost, field), -(one.score or 0.0))):
        if not best or (trial.score or 0.0) > (best[-1].score or 0.0):
            best.append(trial)
    places = [getattr(trial.cost, field) * factor for trial in best]
    axis.plot(places, [trial.score for trial in best], color="black", linewidth=1, drawstyle="steps-post", zorder=2)
    for number, trial in enumerate(best):
        below = number % 2 == 1
        axis.annotate(
            trial.one.name.replace(f" {trial.one.solver}", ""),
            (getattr(trial.cost, field) * factor, trial.score),
            fontsize=7,
            xytext=(0, -12 if below else 8),
            textcoords="offset points",
            ha="center",
        )
    refused = [getattr(trial.cost, field) * factor for trial in trials if trial.beyond]
    if refused:
        axis.plot(refused, [0.02] * len(refused), "|", color=_GREY, transform=axis.get_xaxis_transform(), zorder=1)
