"""`train --cell`: a network for comparison is trained and scored by the stage, and no later stage takes it."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from rich.console import Console

from toolchain.errors import ConfigError, ModelError
from toolchain.int8.convert import convert
from toolchain.ltc import train as train_module
from toolchain.ltc.modelspec import load_spec
from toolchain.ltc.weights import load_weights
from toolchain.project import project_for_data, with_options
from toolchain.runs import Run


@pytest.fixture
def small(tiny_project, tiny_set, monkeypatch):
    """A project that is trained in a second."""
    monkeypatch.setattr(train_module, "load_set", lambda *_: tiny_set)
    training = tiny_project.training.model_copy(update={"epochs": 2, "steps_per_epoch": 10})

    def make(**model):
        changed = tiny_project.model.model_copy(update=model)
        return tiny_project.model_copy(update={"model": changed, "training": training})

    return make


def trained(folder, project, board):
    run = Run(folder)
    train_module.train(run, project, board, Console(file=io.StringIO()))
    return run, json.loads((folder / "training.json").read_text())


def test_a_network_for_comparison_has_scores_and_goes_no_further(tmp_path, small, board):
    run, training = trained(tmp_path, small(cell="gru", layers=[6, 6]), board)
    assert training["cell"] == "gru"
    assert training["parameters"] == sum(value.size for value in np.load(run.weights).values())
    assert 0 <= training["accuracy"]["test"] <= 1
    assert training["stream"]["events"] > 0
    assert load_spec(run.model_json).cell == "gru"
    with pytest.raises(ModelError, match="for comparison only"):
        convert(run, board, Console(quiet=True))
    assert not run.tflite.exists()


def test_a_sparse_ltc_stays_sparse_and_is_an_ordinary_one(tmp_path, small, board):
    run, training = trained(tmp_path, small(density=0.4, layers=[12, 12]), board)
    assert training["cell"] == "ltc"
    weights = load_weights(run.weights, load_spec(run.model_json))
    assert np.mean([np.mean(layer.w != 0) for layer in weights.layers]) == pytest.approx(0.4, abs=0.1)


def test_a_cell_without_solver_or_wiring_says_so():
    project = project_for_data("wrist")
    for options in ({"solver": "euler"}, {"density": 0.5}):
        with pytest.raises(ConfigError, match="belong to cell ltc"):
            with_options(project, cell="cfc", **options)
    with pytest.raises(ConfigError, match=r"model\.cell"):
        with_options(project, cell="lstm")
