"""The search on Ray Tune: one trial for each candidate, resumed with Tuner.restore.

Every candidate within the budget is trained on every fold: a scheduler that stops the less accurate early would stop
just the small ones that a Pareto front is looked at for. Ray is told not to report its use.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console

from toolchain.board import load_board
from toolchain.errors import ConfigError, MissingToolError
from toolchain.files import validated
from toolchain.project import Project
from toolchain.search.ledger import Ledger
from toolchain.search.objective import fold_score
from toolchain.search.plan import Plan
from toolchain.search.space import applied, candidate

NAME = "tune"
"""Ray's folder inside the search's."""
SCORES = "scores"
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    # A trial reads data sets by paths that are relative to where the search was started.
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    # The state of the experiment is written this often, in seconds: a search that is killed forgets no more.
    "TUNE_GLOBAL_CHECKPOINT_S": "2",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}
Objective = Callable[[dict[str, Any], dict[str, Any], int], float]
"""(candidate, question, fold): its score."""


def candidate_score(one: dict[str, Any], question: dict[str, Any], k: int) -> float:
    """Train a candidate for fold ``k`` of the question and return its score."""
    board = load_board(question["board"])
    project = validated(Project, question["project"], "the search's project")
    return fold_score(applied(project, candidate(one), board.imu), board, k, question["folds"])


def run_trials(
    plan: Plan,
    folder: Path,
    console: Console,
    *,
    address: str | None = None,
    jobs: int | None = None,
    objective: Objective = candidate_score,
) -> None:
    """Score every chosen candidate of ``plan``; what is done already, here or before a kill, is not done again.

    ``address``: a running Ray cluster, whose machines share ``folder`` and have this package; default: this machine
    with ``jobs`` trials side by side. Raises MissingToolError without Ray, ConfigError for a cluster that does not
    answer. A trial that fails is told and left out of the table.
    """
    os.environ.update({key: os.environ.get(key, value) for key, value in _QUIET.items()})
    try:
        import ray
        from ray import tune
    except ImportError as reason:
        raise MissingToolError(f"The search needs Ray Tune ({reason}).", "pip install 'tinyltc[search]'") from None
    folder = folder.resolve()
    ledger, asked = folder / SCORES, plan.question

    def trial(config: dict[str, Any]) -> None:
        one, book = config["candidate"], Ledger(ledger)
        scores = book.scores(one)
        while len(scores) < asked["folds"]:
            k = len(scores)
            scores = book.put(one, k, objective(one, asked, k))
            tune.report({"score": statistics.mean(scores), "folds_done": len(scores)})
        tune.report({"score": statistics.mean(scores), "folds_done": len(scores)})

    _connect(ray, address, jobs)
    try:
        trainable = tune.with_resources(trial, {"cpu": 1})
        path = str(folder / NAME)
        if tune.Tuner.can_restore(path):
            console.print(f"Resuming {folder}")
            tuner = tune.Tuner.restore(path, trainable=trainable, resume_unfinished=True, resume_errored=True)
        else:
            configs = [entry.one.to_dict() for entry in plan.chosen]
            tuner = tune.Tuner(
                trainable,
                param_space={"candidate": tune.grid_search(configs)},
                run_config=tune.RunConfig(name=NAME, storage_path=str(folder), verbose=0),
            )
        result = tuner.fit()
        for error in result.errors:
            console.print(f"A trial failed: {str(error).strip().splitlines()[-1]}", markup=False, highlight=False)
    finally:
        ray.shutdown()


def _connect(ray: Any, address: str | None, jobs: int | None) -> None:
    quiet = {"log_to_driver": False, "logging_level": "error"}
    if address is None:
        ray.init(num_cpus=jobs or os.cpu_count(), include_dashboard=False, _node_ip_address="127.0.0.1", **quiet)
        return
    try:
        ray.init(address=address, **quiet)
    except (ConnectionError, RuntimeError, ValueError) as reason:
        first = str(reason).strip().splitlines()[0]
        raise ConfigError(f"There is no Ray cluster at {address} ({first}).", "Start one: ray start --head.") from None
