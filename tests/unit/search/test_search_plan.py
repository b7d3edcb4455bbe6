"""What is searched, under which budgets: the space, the plan and the costs from the compiled engine."""

from __future__ import annotations

import itertools
import json
import shutil
from pathlib import Path

import pytest
from search_fakes import QUIET, FakeCosts

from toolchain.board import Board
from toolchain.errors import ConfigError, DataError
from toolchain.ltc.solvers import STABLE_UP_TO, require_stable
from toolchain.project import Project
from toolchain.recordings.catalog import load_set
from toolchain.search.budget import Budget, parse_amount
from toolchain.search.cost import Costs
from toolchain.search.objective import fold_of
from toolchain.search.plan import Plan, planned, question
from toolchain.search.space import Candidate, applied, candidate, candidates, own


def test_the_space_is_tried_in_a_seeded_order_from_the_project_s_own(project: Project) -> None:
    first, again, other = (list(itertools.islice(candidates(project, seed), 60)) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert first[0] == own(project) == other[0]
    assert len(set(first)) == 60
    for field in ("layers", "density", "solver", "time_scale", "preparation"):
        assert len({getattr(one, field) for one in first}) > 1, field
    assert all(candidate(json.loads(json.dumps(one.to_dict()))) == one for one in first)


def test_every_candidate_is_a_stable_project(project: Project, board: Board) -> None:
    for one in itertools.islice(candidates(project, 3), 300):
        model = applied(project, one, board.imu).model
        assert (tuple(model.layers), model.solver, model.preparation) == (one.layers, one.solver, one.preparation)
        dt_max_us = round(model.dt_max_s * 1e6)
        require_stable(model.solver, 1 / model.tau_epsilon, model.time_scale, dt_max_us, board.imu.period_us)
        if one.solver not in STABLE_UP_TO:
            assert model.dt_max_s == project.model.dt_max_s


@pytest.mark.parametrize(("text", "number"), [("26000", 26000), ("26k", 26000), ("48KB", 49152), ("1.5kb", 1536)])
def test_amounts(text: str, number: int) -> None:
    assert parse_amount("--flash", text) == number


@pytest.mark.parametrize("text", ["", "much", "-5", "0", "26 kilos", "1e9", "k"])
def test_a_bad_budget_is_one_sentence(text: str) -> None:
    with pytest.raises(ConfigError, match=r"--flash '.*' is no budget") as found:
        parse_amount("--flash", text)
    assert found.value.what.count(".") <= 1


def asked(project: Project, board: Board, budget: Budget, trials: int = 4) -> dict[str, object]:
    return question(project, board, budget, trials=trials, folds=2, seed=1)


def test_only_what_fits_is_chosen_and_the_rest_is_remembered(
    project: Project, board: Board, costs: FakeCosts, folder: Path
) -> None:
    made = planned(folder / "plan.json", asked(project, board, Budget(6000, 3000, 700)), board, costs, QUIET)
    assert len(made.chosen) == 4
    assert any(entry.beyond for entry in made.entries)
    for entry in made.entries:
        fits = entry.cost.cycles <= 6000 and entry.cost.flash_bytes <= 3000 and entry.cost.ram_bytes <= 700
        assert fits == (not entry.beyond)


def test_the_plan_is_made_once(project: Project, board: Board, costs: FakeCosts, folder: Path) -> None:
    first = planned(folder / "plan.json", asked(project, board, Budget(6000)), board, costs, QUIET)
    nobody = FakeCosts()
    again = planned(folder / "plan.json", asked(project, board, Budget(6000)), board, nobody, QUIET)
    assert isinstance(again, Plan)
    assert again == first
    assert not nobody.asked
    with pytest.raises(ConfigError, match="another search"):
        planned(folder / "plan.json", asked(project, board, Budget(7000)), board, costs, QUIET)


def test_a_budget_that_nothing_keeps_says_what_the_least_takes(
    project: Project, board: Board, costs: FakeCosts, folder: Path
) -> None:
    with pytest.raises(ConfigError, match=r"None of \d+ networks .*cycles 100.* takes 800 cycles"):
        planned(folder / "plan.json", asked(project, board, Budget(100)), board, costs, QUIET)
    assert not folder.exists()


def test_folds_are_training_people_only(project: Project) -> None:
    data = load_set(project.data, project.task, 208.0)
    tested = []
    for k in range(2):
        fold = fold_of(data, k, 2)
        people = [data.people(part) for part in (fold.train, fold.validation, fold.test)]
        assert set().union(*people) == data.people(data.train)
        tested += sorted(people[2])
    assert sorted(tested) == sorted(data.people(data.train))
    with pytest.raises(DataError):
        fold_of(data, 0, 99)


@pytest.mark.skipif(not shutil.which("arm-none-eabi-gcc"), reason="needs arm-none-eabi-gcc")
def test_costs_are_the_compiled_engine_s_and_kept(
    board: Board, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("unicorn")
    path = tmp_path / "costs.json"
    small = Candidate((8,), 1.0, "semi_implicit", 40.0, "raw")
    large = Candidate((24, 16), 0.5, "exponential", 20.0, "difference")
    first, second = (Costs(path, board, 5).of(one) for one in (small, large))
    assert 500 < first.cycles < second.cycles < 30_000
    assert first.flash_bytes < second.flash_bytes
    assert first.ram_bytes < second.ram_bytes
    monkeypatch.setattr(Costs, "_measured", lambda *_: pytest.fail("measured again"))
    assert Costs(path, board, 5).of(Candidate((8,), 0.25, "semi_implicit", 10.0, "raw")) == first
    told = json.loads(path.read_text())
    assert told["source"]["cycles"] == "emulated (cycle estimate)"
    path.write_text(json.dumps(told | {"code": "of before"}))
    with pytest.raises(pytest.fail.Exception, match="measured again"):
        Costs(path, board, 5).of(small)
