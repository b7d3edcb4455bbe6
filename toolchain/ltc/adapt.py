"""Start from a finished run: more classes, or one's own way of a class, from a few recordings.

The network keeps its layers and goes on training on the run's own set together with the new recordings, every class
as often as any other, so that nothing it knew is forgotten. The head gets a column for each new class.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from toolchain.board import load_board
from toolchain.errors import ConfigError
from toolchain.ltc.modelspec import load_spec
from toolchain.ltc.weights import Weights, load_weights
from toolchain.project import Project, Training
from toolchain.recordings.catalog import load_native
from toolchain.recordings.mine import gestures_of
from toolchain.runs import Run

EPOCHS = 5
RATE_SHARE = 0.4
"""The learning rate starts at this fraction of a first training's."""
NEW_LOGIT = -2.0
"""Bias of a new class at first: it is no candidate before it was trained."""


def own_file(data: str | None, path: Path | None) -> Path:
    """Return the file that ``--path`` or ``--data FILE.npz`` names; raises ConfigError without one."""
    if path is not None:
        return path
    if data is not None and data.endswith(".npz"):
        return Path(data)
    raise ConfigError("--from needs recordings of your own.", "Name the file: --data mine.npz, or --path.")


def adapted_project(base: Run, mine: Path) -> Project:
    """Return the project of ``base`` with the recordings in ``mine`` and their classes; a shorter, gentler training.

    ``mine`` is a file of recordings, ours (docs/SPEC.md, 6) or a flat one (datasets/npz/README.md). Raises DataError
    for a class with fewer than five recordings.
    """
    project = base.project()
    rate_hz = load_board(project.target.board).imu.rate_hz
    data = project.data.model_copy(update={"set": "npz", "path": str(mine)})
    own = gestures_of(load_native(data, rate_hz))
    classes = [*project.task.classes, *(name for name in own if name not in project.task.classes)]
    return project.model_copy(
        update={
            "task": project.task.model_copy(update={"classes": classes}),
            "data": project.data.model_copy(update={"mine": str(mine)}),
            "training": shortened(project.training),
        }
    )


def start_weights(base: Run, classes: Sequence[str]) -> Weights:
    """Return the weights of ``base`` for ``classes``."""
    spec = load_spec(base.model_json)
    return extended(load_weights(base.weights, spec), spec.classes, classes)


def extended(weights: Weights, known: Sequence[str], classes: Sequence[str]) -> Weights:
    """Return ``weights``, whose head knows the classes ``known``, with a column for each of ``classes``.

    A new one says nothing yet.
    """
    u = np.zeros((len(weights.u), len(classes)), np.float32)
    d = np.full(len(classes), NEW_LOGIT, np.float32)
    for column, name in enumerate(classes):
        if name in known:
            u[:, column], d[column] = weights.u[:, known.index(name)], weights.d[known.index(name)]
    return Weights(weights.layers, u, d)


def shortened(training: Training) -> Training:
    """Return the settings of a training that goes on from a finished one: shorter and gentler."""
    return training.model_copy(update={"epochs": EPOCHS, "learning_rate": RATE_SHARE * training.learning_rate})
