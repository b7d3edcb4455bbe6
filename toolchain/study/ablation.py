"""What each part of the recipe buys: ``python -m toolchain.study.ablation``, or ``make ablation``.

Every part is trained on the same folds and seeds as the whole recipe, on the training people of the set only. The
result, ``runs/study/ablation.json``, grows trial by trial: what is there is not measured again.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from toolchain.board import Board, load_board
from toolchain.errors import DataError
from toolchain.files import read_json, write_json
from toolchain.ltc.evaluate import float_logits
from toolchain.ltc.step import FloatNetwork
from toolchain.ltc.train import fit_network, model_spec
from toolchain.project import Project, project_for_data
from toolchain.study.material import Material, load_material, score_whole
from toolchain.study.parts import Part, changed, chosen

FOLDS = 3


def trial(part: Part, project: Project, board: Board, material: Material, k: int, seed: int) -> dict[str, Any]:
    """Train one part on fold ``k`` with ``seed`` and score the fold's people; JSON values."""
    asked = changed(project, part, seed)
    data, whole = material.fold(k, FOLDS)
    spec = model_spec(asked, board, data)
    made = fit_network(asked, board, data, spec, Console(quiet=True))
    logits = float_logits(FloatNetwork(made.weights, spec.tau_epsilon, spec.solver), spec, board.imu)
    people = score_whole(logits, whole, spec, asked.decision, data.background)
    return {
        "part": part.name,
        "change": part.change,
        "fold": k,
        "seed": seed,
        "accuracy": float(np.mean(list(people.values()))),
        "people": people,
        "loss": made.epochs[-1].loss,
        "seconds": made.seconds,
        "steps": made.steps,
    }


def summary(trials: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return one row per part: mean accuracy over its trials, and the paired difference to the recipe.

    ``difference`` is the mean over the trials that both have (same fold and seed), ``spread`` its standard deviation
    over them; None where there is one or none.
    """
    recipe = {(t["fold"], t["seed"]): t["accuracy"] for t in trials if t["part"] == "recipe"}
    rows = []
    for name in dict.fromkeys(t["part"] for t in trials):
        own = [t for t in trials if t["part"] == name]
        pairs = [t["accuracy"] - recipe[t["fold"], t["seed"]] for t in own if (t["fold"], t["seed"]) in recipe]
        rows.append(
            {
                "part": name,
                "trials": len(own),
                "accuracy": float(np.mean([t["accuracy"] for t in own])),
                "difference": float(np.mean(pairs)) if pairs else None,
                "spread": float(np.std(pairs, ddof=1)) if len(pairs) > 1 else None,
            }
        )
    return rows


def ablation(path: Path, parts: Sequence[Part], folds: Sequence[int], seeds: Sequence[int], console: Console) -> None:
    """Fill ``path`` with the trials that it lacks, and print the table."""
    project = project_for_data("grwd")
    board = load_board(project.target.board)
    material = load_material(project, board)
    recipe = {"model": project.model.model_dump(), "training": project.training.model_dump()}
    trials = _known(path, recipe)
    for seed in seeds:
        for k in folds:
            for part in parts:
                if any((t["part"], t["fold"], t["seed"]) == (part.name, k, seed) for t in trials):
                    continue
                trials.append(trial(part, project, board, material, k, seed))
                write_json(
                    path,
                    {
                        "source": "measured on host",
                        "on": "training people of grwd, whole recordings, float",
                        "folds": FOLDS,
                        "recipe": recipe,
                        "summary": summary(trials),
                        "trials": trials,
                    },
                )
                last = trials[-1]
                console.print(f"{part.name}, fold {k}, seed {seed}: {last['accuracy']:.4f}", highlight=False)
    _print(summary(trials), console)


def _known(path: Path, recipe: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the trials in ``path``, none if it is of another recipe."""
    if not path.exists():
        return []
    before = read_json(path, DataError, "Move it away.")
    same = before.get("recipe") == _as_json(recipe)
    return list(before["trials"]) if same else []


def _as_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_json(one) for key, one in value.items()}
    return [_as_json(one) for one in value] if isinstance(value, list | tuple) else value


def _print(rows: Sequence[dict[str, Any]], console: Console) -> None:
    table = Table("part", "trials", "accuracy", "difference", "spread")
    for row in rows:
        cells = (row["accuracy"], row["difference"], row["spread"])
        table.add_row(row["part"], str(row["trials"]), *("-" if cell is None else f"{cell:.4f}" for cell in cells))
    console.print(table)


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", nargs="*", default=[], help="names of parts (toolchain/study/parts.py)")
    parser.add_argument("--folds", nargs="*", type=int, default=list(range(1, FOLDS + 1)))
    parser.add_argument("--seeds", nargs="*", type=int, default=[1])
    parser.add_argument("--out", type=Path, default=Path("runs/study/ablation.json"))
    asked = parser.parse_args()
    ablation(asked.out, chosen(asked.only), asked.folds, asked.seeds, Console())


if __name__ == "__main__":
    main()
