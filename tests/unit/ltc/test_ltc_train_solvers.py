"""The stage train with other solvers than the first: it learns, or it refuses before it begins."""

from __future__ import annotations

import json

import pytest
from rich.console import Console

from toolchain.errors import ModelError
from toolchain.ltc import fit as fit_module
from toolchain.ltc import train as train_module
from toolchain.ltc.batches import training_stride
from toolchain.ltc.modelspec import load_spec
from toolchain.runs import Run

CALM = {"tau_epsilon": 0.4, "dt_max_s": 0.019}
"""With 40 of model time a second, Euler bears 19.99 ms: two samples, one of which the training skips."""


@pytest.fixture(autouse=True)
def _tiny_data(monkeypatch, tiny_set):
    monkeypatch.setattr(train_module, "load_set", lambda data, task, rate_hz: tiny_set)


def with_model(project, **changes):
    return project.model_copy(update={"model": project.model.model_copy(update=changes)})


@pytest.mark.parametrize("solver", ["euler", "rk4"])
def test_a_network_is_trained_for_and_scored_with_its_solver(tmp_path, tiny_project, board, solver):
    """RK4 is trained through the exponential solver, so both of these are trained through here."""
    train_module.train(Run(tmp_path), with_model(tiny_project, solver=solver, **CALM), board, Console(quiet=True))
    training = json.loads((tmp_path / "training.json").read_text())
    losses = [epoch["loss"] for epoch in training["epochs"]]
    assert losses[-1] < 0.8 * losses[0]
    assert training["accuracy"]["test"] > 0.8
    spec = load_spec(tmp_path / "model.json")
    assert (spec.solver, spec.tau_epsilon, spec.dt_max_us) == (solver, 0.4, 19_000)


@pytest.mark.parametrize("solver", ["euler", "rk4"])
def test_a_solver_that_weights_could_make_unstable_is_refused_before_training(
    tmp_path, tiny_project, board, monkeypatch, solver
):
    monkeypatch.setattr(fit_module.Trainer, "train", lambda *_: pytest.fail("trained"))
    with pytest.raises(ModelError, match=f"Solver '{solver}' is unstable"):
        train_module.train(Run(tmp_path), with_model(tiny_project, solver=solver), board, Console(quiet=True))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("dt_max_us", "stride"), [(100_000, 2), (14_424, 2), (14_423, 1), (4_808, 1)])
def test_a_step_of_the_training_is_no_gap(spec, dt_max_us, stride):
    assert training_stride(spec.model_copy(update={"dt_max_us": dt_max_us}), 100.0) == stride
