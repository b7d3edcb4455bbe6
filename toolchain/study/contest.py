"""The LTC beside other cells and networks: ``python -m toolchain.study.contest``, or ``make contest``.

All train with the recipe, on the same folds of the training people, at the training rate, and are scored alike in
the stream: a whole recording's answer is its last decision other than none. Only the first three can be deployed:
the int8 engine knows the graph of docs/SPEC.md, 2.4, and nothing else (a sparse one is a dense one with zeros).
The result, ``runs/study/contest.json``, grows trial by trial.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from toolchain.board import Board, load_board
from toolchain.errors import ConfigError, DataError
from toolchain.files import read_json, write_json
from toolchain.ltc.batches import Batches, Preparer
from toolchain.ltc.cells import KINDS
from toolchain.ltc.comparison import runner, thin
from toolchain.ltc.fit import Trainer, learning_rate
from toolchain.ltc.model import Ltc
from toolchain.ltc.modelspec import Cell, ModelSpec
from toolchain.ltc.sparse import SparseLtc
from toolchain.ltc.train import chunk_length, model_spec
from toolchain.project import Project, project_for_data
from toolchain.recordings.recording import DataSet, Recording
from toolchain.recordings.resample import resample
from toolchain.study.material import Material, load_material, score_whole
from toolchain.study.parts import Part, changed
from toolchain.study.trees import Trees

FOLDS = 3
Make = Callable[[ModelSpec, int], Any]
"""Makes a network for a spec and a seed."""


@dataclass(frozen=True)
class Contender:
    """``deployed``: whether the firmware can run it."""

    name: str
    about: str
    deployed: bool
    make: Make | None
    """None: the trees, which are no network."""


def _ltc(spec: ModelSpec, seed: int) -> Any:
    return Ltc(spec.units, len(spec.classes), spec.tau_epsilon, seed, inputs=spec.inputs)


def _sparse(density: float) -> Make:
    def make(spec: ModelSpec, seed: int) -> Any:
        return SparseLtc(spec.units, len(spec.classes), spec.tau_epsilon, seed, spec.inputs, density)

    return make


def _other(cell: Cell, *units: int) -> Make:
    def make(spec: ModelSpec, seed: int) -> Any:
        return KINDS[cell](spec.inputs, units, len(spec.classes), seed)

    return make


CONTENDERS = (
    Contender("ltc", "the article's LTC, tau from the input, 2x64", True, _ltc),
    Contender("ltc_sparse_50", "the same, half of the recurrent and layer weights zero", True, _sparse(0.5)),
    Contender("ltc_sparse_25", "the same, three quarters zero", True, _sparse(0.25)),
    Contender("ltc_state_tau", "tau from input and state, 2x53", False, _other("ltc_state_tau", 53, 53)),
    Contender("ltc_2021", "Hasani et al. 2021, fused solver, 2x76", False, _other("ltc_2021", 76, 76)),
    Contender("cfc", "closed-form continuous-time, 2x42", False, _other("cfc", 42, 42)),
    Contender("gru", "gated recurrent unit, dt as an input, 2x44", False, _other("gru", 44, 44)),
    Contender("trees", "200 extremely randomized trees on features of 1.5 s windows", False, None),
    Contender("tcn", "causal convolutions, reach 1.2 s, width 39", False, _other("tcn", 39, 39, 39, 39, 39)),
)


def trial(one: Contender, project: Project, board: Board, material: Material, k: int, seed: int) -> dict[str, Any]:
    """Train one contender on fold ``k`` with ``seed`` and score the fold's people; JSON values."""
    asked = changed(project, Part("recipe", "", {}), seed)
    settings = asked.training
    data, whole = material.fold(k, FOLDS)
    spec = model_spec(asked, board, data)
    if one.make is None:
        return _trees_trial(one, asked, data, whole, spec, k, seed)
    prepare = Preparer(spec, board.imu, data.background, settings)
    length = chunk_length(data, spec.rate_hz, settings.chunk_s) // prepare.stride
    people = (*data.train, *data.validation)
    batches = Batches(people, prepare, data.background, settings=settings, length=length, seed=seed, varied=True)
    network = one.make(spec, seed)
    trainer = Trainer(network, settings, settings.batch)
    start = time.monotonic()
    for step in range(settings.epochs * settings.steps_per_epoch):
        trainer.train(batches.next_batch(), learning_rate(settings, step, 0.0))
    seconds = time.monotonic() - start
    trainer.use_average()
    parameters = int(sum(np.prod(value.shape) for value in network.trainable_variables))

    even = [resample(recording, spec.rate_hz) for recording in whole]
    thinned = thin(even, prepare.stride)
    prepared = [prepare(recording, None) for recording in even]
    made = runner(network)([p.x for p in prepared], [p.dt for p in prepared])
    known = {id(recording): logits for recording, logits in zip(thinned, made, strict=True)}
    accuracy = score_whole(lambda rs: [known[id(r)] for r in rs], thinned, spec, asked.decision, data.background)
    return _record(one, parameters, k, seed, accuracy, seconds)


def _trees_trial(
    one: Contender, project: Project, data: DataSet, whole: Sequence[Recording], spec: ModelSpec, k: int, seed: int
) -> dict[str, Any]:
    trees = Trees(spec, seed)
    trees.train((*data.train, *data.validation), data.background, project.training)
    even = tuple(resample(recording, spec.rate_hz) for recording in whole)
    accuracy = score_whole(trees.logits, even, spec, project.decision, data.background)
    return _record(one, trees.nodes, k, seed, accuracy, trees.seconds)


def _record(
    one: Contender, parameters: int, k: int, seed: int, accuracy: dict[str, float], seconds: float
) -> dict[str, Any]:
    return {
        "contender": one.name,
        "about": one.about,
        "deployed": one.deployed,
        "parameters": parameters,
        "fold": k,
        "seed": seed,
        "accuracy": float(np.mean(list(accuracy.values()))),
        "people": accuracy,
        "seconds": seconds,
    }


def contest(
    path: Path, contenders: Sequence[Contender], folds: Sequence[int], seeds: Sequence[int], console: Console
) -> None:
    """Fill ``path`` with the trials that it lacks, and print the table."""
    project = project_for_data("grwd")
    board = load_board(project.target.board)
    material = load_material(project, board)
    trials = list(read_json(path, DataError, "Move it away.")["trials"]) if path.exists() else []
    for seed in seeds:
        for k in folds:
            for one in contenders:
                if any((t["contender"], t["fold"], t["seed"]) == (one.name, k, seed) for t in trials):
                    continue
                trials.append(trial(one, project, board, material, k, seed))
                write_json(path, {"source": "measured on host", "folds": FOLDS, "trials": trials})
                console.print(f"{one.name}, fold {k}, seed {seed}: {trials[-1]['accuracy']:.4f}", highlight=False)
    table = Table("network", "deployed", "parameters", "trials", "accuracy")
    for one in contenders:
        own = [t for t in trials if t["contender"] == one.name]
        if own:
            mean = float(np.mean([t["accuracy"] for t in own]))
            row = (one.name, "yes" if one.deployed else "no", str(own[0]["parameters"]), str(len(own)), f"{mean:.4f}")
            table.add_row(*row)
    console.print(table)


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="*", default=[], help="names of contenders")
    parser.add_argument("--folds", nargs="*", type=int, default=list(range(1, FOLDS + 1)))
    parser.add_argument("--seeds", nargs="*", type=int, default=[1])
    parser.add_argument("--out", type=Path, default=Path("runs/study/contest.json"))
    asked = parser.parse_args()
    known = {one.name: one for one in CONTENDERS}
    for name in asked.only:
        if name not in known:
            raise ConfigError(f"There is no contender '{name}'.", f"Contenders: {', '.join(known)}.")
    contenders = [one for one in CONTENDERS if not asked.only or one.name in asked.only]
    contest(asked.out, contenders, asked.folds, asked.seeds, Console())


if __name__ == "__main__":
    main()
