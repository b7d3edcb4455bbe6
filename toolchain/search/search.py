"""The stage ``search``: plan, trials, table, picture, and a project file for everything on the front."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.markdown import Markdown

from toolchain.board import Board
from toolchain.errors import ConfigError
from toolchain.files import write_json, write_text
from toolchain.project import Project
from toolchain.runs import Run
from toolchain.search.budget import Budget
from toolchain.search.cost import Costs
from toolchain.search.ledger import Ledger
from toolchain.search.pareto import markdown, to_json, trials_of
from toolchain.search.picture import draw
from toolchain.search.plan import planned, question
from toolchain.search.space import applied
from toolchain.search.tuning import SCORES, Objective, candidate_score, run_trials

COSTS = "costs.json"


def search(
    run: Run,
    project: Project,
    board: Board,
    budget: Budget,
    console: Console,
    *,
    trials: int,
    folds: int,
    seed: int = 1,
    address: str | None = None,
    jobs: int | None = None,
    objective: Objective = candidate_score,
) -> None:
    """Train ``trials`` networks that are within ``budget`` and show what they cost and know.

    Writes under the run's folder plan.json, scores/ (as they come), trials.json, trials.md, pareto.png and for each
    network on the front front-N.json, a project file for `tinyltc train --project`. Started again with the same options
    it goes on where it was killed. Raises ConfigError for a cell that is no LTC, another search in the same place or a
    budget that no network keeps, MissingToolError without Ray, the ARM compiler or Unicorn.
    """
    if project.model.cell != "ltc":
        raise ConfigError(f"A search is among LTCs; the project's cell is '{project.model.cell}'.", "Set cell to ltc.")
    costs = Costs(run.path.parent / COSTS, board, len(project.task.classes))
    asked = question(project, board, budget, trials=trials, folds=folds, seed=seed)
    plan = planned(run.path / "plan.json", asked, board, costs, console)
    run_trials(plan, run.path, console, address=address, jobs=jobs, objective=objective)
    made = trials_of(plan, Ledger(run.path / SCORES))
    write_json(run.path / "trials.json", to_json(made, plan))
    write_text(run.path / "trials.md", markdown(made))
    front = [trial for trial in made if trial.front]
    for old in run.path.glob("front-*.json"):
        old.unlink()
    for number, trial in enumerate(front, 1):
        write_json(_front(run.path, number), applied(project, trial.one, board.imu).model_dump(mode="json"))
    draw(
        run.path / "pareto.png",
        made,
        budget,
        f"{project.data.set}: {len(plan.chosen)} networks, {folds} folds by person",
    )
    console.print(Markdown(markdown(made)))
    if front:
        console.print(f"The best: tinyltc train --project {_front(run.path, 1)}", highlight=False, soft_wrap=True)
    console.print(f"{run.path / 'pareto.png'}", highlight=False)


def _front(folder: Path, number: int) -> Path:
    return folder / f"front-{number}.json"
