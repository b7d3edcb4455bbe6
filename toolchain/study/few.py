"""New classes from five recordings each: ``python -m toolchain.study.few``.

Two classes are left out of the set, a network is trained on the others, then the two are added back with five
recordings of each, of five training people, as ``tinyltc train --from`` does. Scored on a fold of people whom neither
training has seen, in the stream; training people of the set only. The result is ``runs/study/few.json``.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console

from toolchain.board import Board, load_board
from toolchain.files import write_json
from toolchain.ltc.adapt import extended, shortened
from toolchain.ltc.evaluate import float_logits
from toolchain.ltc.step import FloatNetwork
from toolchain.ltc.train import fit_network, model_spec
from toolchain.ltc.weights import Weights
from toolchain.project import Project, project_for_data
from toolchain.recordings.catalog import at_rate, select
from toolchain.recordings.mine import FEWEST, with_mine
from toolchain.recordings.recording import Collection, DataSet, Recording
from toolchain.recordings.whole import cut_up
from toolchain.study.material import Material, answers_whole, load_material
from toolchain.study.parts import Part, changed

FOLDS = 3
LEFT_OUT = ("twist_right", "s_shape")


def trial(
    project: Project, board: Board, material: Material, k: int, seed: int, left_out: Sequence[str], count: int
) -> dict[str, Any]:
    """Train without ``left_out``, add them with ``count`` recordings each, and score fold ``k``; JSON values."""
    asked = changed(project, Part("recipe", "", {}), seed)
    data, whole = material.fold(k, FOLDS)
    old = [name for name in data.classes if name not in left_out]
    few = _few(material, data, left_out, count, seed)
    known = _without(material, data, old)
    first = fit_network(asked, board, known, model_spec(asked, board, known), Console(quiet=True))

    classes = [*old, *left_out]
    train = with_mine(_renamed(known.train, old, classes), classes, at_rate(few, board.imu.rate_hz))
    validation, test = (_renamed(part, old, classes) for part in (known.validation, known.test))
    both = DataSet(known.name, tuple(classes), 0, train, validation, test)
    after = asked.model_copy(update={"training": shortened(asked.training)})
    spec = model_spec(after, board, both)
    start = extended(first.weights, old, classes)
    made = fit_network(after, board, both, spec, Console(quiet=True), start=start)

    tested = tuple(_renamed(whole, data.classes, classes))

    def answers(weights: Weights) -> npt.NDArray[np.int64]:
        logits = float_logits(FloatNetwork(weights, spec.tau_epsilon, spec.solver), spec, board.imu)
        scores = answers_whole(logits, tested, spec, asked.decision, 0)
        return np.asarray(sum(score.answers for score in scores.values()), np.int64)

    before, later = answers(start), answers(made.weights)
    is_new = np.array([name in left_out for name in classes])
    is_old = ~is_new & (np.arange(len(classes)) > 0)
    return {
        "fold": k,
        "seed": seed,
        "left_out": list(left_out),
        "recordings": count,
        "old_before": _accuracy(before, is_old),
        "old_after": _accuracy(later, is_old),
        "new_after": _accuracy(later, is_new),
        "all_after": _accuracy(later, is_old | is_new),
        "seconds_first": first.seconds,
        "seconds_more": made.seconds,
    }


def _accuracy(answers: npt.NDArray[np.int64], rows: npt.NDArray[np.bool_]) -> float:
    return float(np.diag(answers)[rows].sum() / max(answers[rows].sum(), 1))


def _few(material: Material, data: DataSet, names: Sequence[str], count: int, seed: int) -> Collection:
    """Draw ``count`` recordings of each class, each of another training person."""
    random = np.random.default_rng(seed)
    trained = sorted({r.person for r in (*data.train, *data.validation)})
    chosen: list[Recording] = []
    for name in names:
        label = data.classes.index(name)
        for index in random.permutation(len(trained))[:count].tolist():
            own = [
                r
                for r in material.whole.recordings
                if r.person == trained[index] and r.kind == "window" and (r.labels == label).any()
            ]
            # One wearer as far as the set knows: what was recorded is joined to streams of one person.
            chosen.append(replace(own[int(random.integers(len(own)))], person="few"))
    background = data.classes[data.background]
    return Collection("few", data.classes, background, cut_up(chosen))


def _without(material: Material, data: DataSet, old: Sequence[str]) -> DataSet:
    """Return ``data`` with the classes ``old`` only, as a task without the others would have it."""
    task = project_for_data("grwd").task.model_copy(update={"classes": list(old)})

    def of(part: Sequence[Recording]) -> tuple[Recording, ...]:
        return select(replace(material.even, recordings=tuple(part)), task).recordings

    return DataSet(data.name, tuple(old), 0, of(data.train), of(data.validation), of(data.test))


def _renamed(part: Sequence[Recording], old: Sequence[str], new: Sequence[str]) -> tuple[Recording, ...]:
    """Let the labels of ``part`` index ``new`` instead of ``old``."""
    index = np.array([*(new.index(name) for name in old), -1], np.int16)
    return tuple(replace(r, labels=index[r.labels]) for r in part)


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folds", nargs="*", type=int, default=[1])
    parser.add_argument("--seeds", nargs="*", type=int, default=[1])
    parser.add_argument("--count", type=int, default=FEWEST)
    parser.add_argument("--out", type=Path, default=Path("runs/study/few.json"))
    asked = parser.parse_args()
    console = Console()
    project = project_for_data("grwd")
    board = load_board(project.target.board)
    material = load_material(project, board)
    trials = []
    for seed in asked.seeds:
        for k in asked.folds:
            trials.append(trial(project, board, material, k, seed, LEFT_OUT, asked.count))
            write_json(asked.out, {"source": "measured on host", "trials": trials})
            console.print(trials[-1], highlight=False)


if __name__ == "__main__":
    main()
