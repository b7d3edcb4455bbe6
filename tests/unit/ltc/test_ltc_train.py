"""The stage train on a tiny data set: it learns, repeats itself, and survives Ctrl-C."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from rich.console import Console

from toolchain.errors import ModelError
from toolchain.ltc import fit as fit_module
from toolchain.ltc import train as train_module
from toolchain.ltc.batches import Batches
from toolchain.ltc.modelspec import load_spec
from toolchain.ltc.weights import load_weights
from toolchain.runs import Run

FILES = {"project.json", "data.json", "checkpoint.npz", "model.npz", "model.json", "training.json", "training.png"}


@pytest.fixture(autouse=True)
def _tiny_data(monkeypatch, tiny_set):
    monkeypatch.setattr(train_module, "load_set", lambda data, task, rate_hz: tiny_set)


def run_train(path, project, board):
    text = io.StringIO()
    train_module.train(Run(path), project, board, Console(file=text, width=200))
    return json.loads((path / "training.json").read_text()), text.getvalue()


@pytest.fixture(scope="module")
def trained(tmp_path_factory, tiny_project, tiny_set, board):
    path = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train_module, "load_set", lambda data, task, rate_hz: tiny_set)
        training, text = run_train(path, tiny_project, board)
    return path, training, text


def test_training_lowers_the_loss_and_learns(trained):
    _, training, text = trained
    losses = [epoch["loss"] for epoch in training["epochs"]]
    assert losses[-1] < 0.7 * losses[0]
    assert training["accuracy"]["test"] > 0.9
    assert training["stopped"] == "epochs"
    assert np.trace(training["confusion"]) / np.sum(training["confusion"]) == training["accuracy"]["test"]
    assert "Trained to the end after 3 epochs" in text


def test_every_file_is_there_and_whole(trained, tiny_project):
    path, training, _ = trained
    assert {file.name for file in path.iterdir()} == FILES
    assert Run(path).project() == tiny_project
    spec = load_spec(path / "model.json")
    assert (spec.classes, spec.units, spec.decision, spec.int8) == (["none", "up", "down"], [8, 8], None, None)
    weights = load_weights(path / "model.npz", spec)
    assert weights.parameters == training["parameters"]
    assert (path / "training.png").read_bytes().startswith(b"\x89PNG")
    assert json.loads((path / "data.json").read_text())["people"]["test"] == ["p4", "p5"]


def test_the_same_seed_gives_the_same_weights(trained, tmp_path, tiny_project, board):
    path, training, _ = trained
    again, _ = run_train(tmp_path, tiny_project, board)
    assert (tmp_path / "model.npz").read_bytes() == (path / "model.npz").read_bytes()
    assert [epoch["loss"] for epoch in again["epochs"]] == [epoch["loss"] for epoch in training["epochs"]]


@pytest.mark.parametrize(("at", "epochs"), [(1, 0), (30, 1)])
def test_ctrl_c_leaves_a_usable_run(tmp_path, tiny_project, board, monkeypatch, at, epochs):
    class Interrupted(Batches):
        made = 0

        def next_batch(self):
            if self._varied:
                Interrupted.made += 1
                if Interrupted.made == at + 1:
                    raise KeyboardInterrupt
            return super().next_batch()

    monkeypatch.setattr(train_module, "Batches", Interrupted)
    training, text = run_train(tmp_path, tiny_project, board)
    assert training["stopped"] == "interrupted"
    assert len(training["epochs"]) == epochs
    assert training["steps"] == at
    assert "Interrupted" in text
    assert {file.name for file in tmp_path.iterdir()} == FILES
    spec = load_spec(tmp_path / "model.json")
    assert load_weights(tmp_path / "model.npz", spec).units == [8, 8]
    assert (tmp_path / "checkpoint.npz").read_bytes() == (tmp_path / "model.npz").read_bytes()


def with_training(project, **changes):
    return project.model_copy(update={"training": project.training.model_copy(update=changes)})


def test_patience_ends_the_training_and_keeps_the_best(tmp_path, tiny_project, board, monkeypatch):
    scores = iter([0.3, 1.0, 0.1, 0.1, 0.9])
    kept = []
    original = fit_module.fit

    def scripted(trainer, batches, validation, accuracy, settings, console, improved):
        return original(trainer, batches, validation, lambda weights: next(scores), settings, console, kept.append)

    monkeypatch.setattr(fit_module, "fit", scripted)
    training, _ = run_train(tmp_path, with_training(tiny_project, epochs=9, steps_per_epoch=1, patience=2), board)
    assert training["stopped"] == "patience"
    assert [epoch["validation_accuracy"] for epoch in training["epochs"]] == [0.3, 1.0, 0.1, 0.1]
    assert len(kept) == 2
    written = load_weights(tmp_path / "model.npz", load_spec(tmp_path / "model.json")).to_arrays()
    assert all(np.array_equal(written[name], value) for name, value in kept[-1].to_arrays().items())


def test_the_time_limit_ends_the_training(tmp_path, tiny_project, board):
    training, _ = run_train(tmp_path, with_training(tiny_project, max_seconds=1e-3), board)
    assert training["stopped"] == "max_seconds"
    assert training["steps"] == 1


def test_a_training_that_diverges_says_so_and_writes_no_model(tmp_path, tiny_project, board, monkeypatch):
    monkeypatch.setattr(fit_module.Trainer, "train", lambda *_: np.float32("nan"))
    with pytest.raises(ModelError, match="diverged in epoch 1"):
        run_train(tmp_path, tiny_project, board)
    assert not (tmp_path / "model.npz").exists()


def test_the_cosine_follows_the_clock_only_where_time_is_short(tiny_project):
    settings = with_training(tiny_project, epochs=10, steps_per_epoch=10, learning_rate=1.0, max_seconds=100.0).training
    rate = fit_module.learning_rate
    assert rate(settings, 0, 0.0) == pytest.approx(1.0)
    assert rate(settings, 50, 0.0) == rate(settings, 50, 60.0) == pytest.approx(0.51)
    assert rate(settings, 10, 90.0) < 0.15
    assert rate(settings, 100, 0.0) == pytest.approx(rate(settings, 0, 100.0)) == pytest.approx(0.02)


def test_with_everyone_the_validation_people_are_trained_on_and_the_last_weights_kept(
    tmp_path, tiny_project, board, monkeypatch
):
    seen = []

    class Watched(Batches):
        def __init__(self, recordings, *rest, **options):
            seen.append({recording.person for recording in recordings})
            super().__init__(recordings, *rest, **options)

    monkeypatch.setattr(train_module, "Batches", Watched)
    project = with_training(tiny_project, epochs=2, steps_per_epoch=1, patience=1, everyone=True)
    training, _ = run_train(tmp_path, project, board)
    assert seen == [{"p2", "p3"}, {"p0", "p1", "p2", "p3"}]
    assert training["stopped"] == "epochs"
    assert training["everyone"] is True
