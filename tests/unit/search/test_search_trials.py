"""The trials: what is done stays done, the table and its front, the picture; with Ray where it is installed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import matplotlib.image
import numpy as np
import pytest
from search_fakes import QUIET, FakeCosts

from toolchain.board import Board
from toolchain.errors import ConfigError
from toolchain.files import write_json
from toolchain.project import Project, load_project
from toolchain.runs import Run
from toolchain.search import search as stage
from toolchain.search.budget import Budget
from toolchain.search.ledger import Ledger
from toolchain.search.pareto import markdown, to_json, trials_of
from toolchain.search.picture import draw
from toolchain.search.plan import Plan, planned, question
from toolchain.search.space import applied, candidate


def made_plan(project: Project, board: Board, folder: Path, trials: int = 6) -> Plan:
    asked = question(project, board, Budget(9000, None, None), trials=trials, folds=2, seed=1)
    return planned(folder / "plan.json", asked, board, FakeCosts(), QUIET)


def fill(plan: Plan, ledger: Ledger, scores: list[float]) -> None:
    for entry, score in zip(plan.chosen, scores, strict=False):
        for k in range(2):
            ledger.put(entry.one.to_dict(), k, score + 0.01 * k)


def test_the_ledger_keeps_folds_in_order(tmp_path: Path) -> None:
    ledger, one = Ledger(tmp_path), {"layers": [8], "solver": "rk4"}
    assert ledger.scores(one) == []
    assert ledger.put(one, 0, 0.5) == [0.5]
    assert ledger.put(one, 1, 0.7) == [0.5, 0.7]
    assert ledger.put(one, 1, 0.9) == [0.5, 0.7]
    assert Ledger(tmp_path).scores(dict(reversed(one.items()))) == [0.5, 0.7]
    assert ledger.scores({"layers": [9], "solver": "rk4"}) == []


def test_the_front_is_what_nothing_beats(project: Project, board: Board, folder: Path) -> None:
    plan, ledger = made_plan(project, board, folder), Ledger(folder / "scores")
    fill(plan, ledger, [0.5, 0.9, 0.7, 0.8, 0.6])
    trials = trials_of(plan, ledger)
    done = [trial for trial in trials if trial.score is not None]
    assert [trial.score for trial in done] == sorted((t.score for t in done), reverse=True)  # type: ignore[type-var]
    assert len(done) == 5
    for trial in done:
        beaten = any(
            other.score >= trial.score  # type: ignore[operator]
            and other.cost.cycles <= trial.cost.cycles
            and (other.score, other.cost.cycles) != (trial.score, trial.cost.cycles)
            for other in done
        )
        assert trial.front != beaten
    assert not any(trial.front for trial in trials if trial.score is None)
    told = to_json(trials, plan)
    assert told["trials"][0]["score"] == pytest.approx(0.905)
    assert told["source"]["score"] == "measured on host"
    assert markdown(trials).count("\n| ") == len(trials)  # beside the head, which begins the text


def test_an_unfinished_candidate_has_no_score(project: Project, board: Board, folder: Path) -> None:
    plan, ledger = made_plan(project, board, folder), Ledger(folder / "scores")
    ledger.put(plan.chosen[0].one.to_dict(), 0, 0.9)
    assert all(trial.score is None for trial in trials_of(plan, ledger))


def test_the_picture_shows_every_trial(project: Project, board: Board, folder: Path) -> None:
    plan, ledger = made_plan(project, board, folder), Ledger(folder / "scores")
    fill(plan, ledger, [0.5, 0.9, 0.7, 0.8, 0.6, 0.55])
    draw(folder / "pareto.png", trials_of(plan, ledger), Budget(9000), "test")
    pixels = matplotlib.image.imread(folder / "pareto.png")
    assert pixels.shape[0] > 400
    blue = (np.abs(pixels[:, :, :3] - np.array([0, 0x72, 0xB2]) / 255).max(axis=2) < 0.05).sum()
    assert blue > 50
    draw(folder / "empty.png", trials_of(plan, Ledger(folder / "nothing")), Budget(), "nothing yet")


def test_the_stage_writes_table_picture_and_projects(
    project: Project, board: Board, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ray left out: the trials are made in this process."""

    def here(plan: Plan, where: Path, *_: object, objective: Any, **__: object) -> None:
        for entry in plan.chosen:
            for k in range(2):
                one = entry.one.to_dict()
                Ledger(where / "scores").put(one, k, objective(one, plan.question, k))

    monkeypatch.setattr(stage, "Costs", lambda *_: FakeCosts())
    monkeypatch.setattr(stage, "run_trials", here)
    run = Run(folder)

    def score(one: dict[str, Any], asked: dict[str, Any], k: int) -> float:
        return min(1.0, sum(one["layers"]) / 200) - 0.01 * k

    options = {"trials": 5, "folds": 2, "objective": score}
    stage.search(run, project, board, Budget(9000), QUIET, **options)  # type: ignore[arg-type]
    table = json.loads((folder / "trials.json").read_text())["trials"]
    front = [row for row in table if row["front"]]
    assert front
    assert sorted(path.name for path in folder.glob("front-*.json")) == [
        f"front-{n + 1}.json" for n in range(len(front))
    ]
    assert load_project(folder / "front-1.json") == applied(
        project, candidate({key: front[0][key] for key in project_keys()}), board.imu
    )
    assert (folder / "pareto.png").stat().st_size > 10_000
    gru = project.model_copy(update={"model": project.model.model_copy(update={"cell": "gru"})})
    with pytest.raises(ConfigError, match="among LTCs"):
        stage.search(Run(folder / "other"), gru, board, Budget(9000), QUIET, **options)  # type: ignore[arg-type]


def project_keys() -> tuple[str, ...]:
    return "layers", "density", "solver", "time_scale", "preparation"


@pytest.mark.slow
def test_a_search_that_was_killed_goes_on_and_trains_nothing_twice(project: Project, folder: Path) -> None:
    """The whole command on the simulated set: killed once a trial is done, then started again."""
    pytest.importorskip("ray")
    where = folder.parent.parent
    write_json(where / "project.json", project.model_dump(mode="json"))
    command = [sys.executable, "-m", "toolchain.cli", "search", "--project", "project.json", "--run", "search"]
    command += ["--trials", "3", "--folds", "2", "--jobs", "1"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    first = subprocess.Popen(command, cwd=where, env=environment, start_new_session=True)
    try:
        deadline = time.monotonic() + 600
        while len(list((folder / "scores").glob("*.json"))) < 2 and time.monotonic() < deadline:
            assert first.poll() is None, "the search ended before it could be killed"
            time.sleep(0.2)
    finally:
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
    kept = {path: path.read_bytes() for path in (folder / "scores").glob("*.json")}
    finished = {path: text for path, text in kept.items() if len(json.loads(text)["scores"]) == 2}
    assert len(finished) == 1
    assert not (folder / "trials.json").exists()
    times = {path: path.stat().st_mtime_ns for path in finished}

    done = subprocess.run(command, cwd=where, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Resuming" in done.stdout
    assert {path: path.stat().st_mtime_ns for path in finished} == times
    table = json.loads((folder / "trials.json").read_text())["trials"]
    assert sum(row["score"] is not None for row in table) == 3
    assert (folder / "pareto.png").exists()
