"""Starting from a finished run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from toolchain.errors import ConfigError
from toolchain.ltc.adapt import EPOCHS, adapted_project, own_file, start_weights
from toolchain.ltc.modelspec import save_spec
from toolchain.ltc.step import FloatNetwork
from toolchain.ltc.weights import save_weights
from toolchain.recordings.recording import Collection, Recording
from toolchain.recordings.storage import save_set
from toolchain.runs import Run


@pytest.fixture
def base(tmp_path, spec, make_weights, tiny_project):
    run = Run(tmp_path / "base")
    run.save_project(tiny_project)
    save_spec(run.model_json, spec)
    save_weights(run.weights, make_weights(spec.units, 3, 1))
    return run


def test_old_classes_keep_their_logits_and_a_new_one_says_nothing(base, spec, make_weights):
    weights = start_weights(base, ["none", "wave", "up", "down"])
    old = make_weights(spec.units, 3, 1)
    x = np.random.default_rng(1).standard_normal((1, 20, 6)).astype(np.float32)
    dt = np.full((1, 20), 0.1, np.float32)
    before, after = (FloatNetwork(w, 0.05).run(x, dt)[0][0] for w in (old, weights))
    assert after[:, [0, 2, 3]] == pytest.approx(before, abs=1e-6)
    assert (after[:, 1] == after[0, 1]).all()
    assert after[0, 1] < 0


def test_the_project_gets_the_classes_the_file_and_a_short_training(base, tiny_project, tmp_path):
    labels = np.zeros(60, np.int16)
    labels[20:40] = 1
    waves = [Recording(np.ones((60, 6), np.float32), np.arange(60) * 5000, labels, "me") for _ in range(5)]
    path = tmp_path / "mine.npz"
    save_set(path, Collection("mine", ("none", "wave"), "none", tuple(waves)))
    project = adapted_project(base, path)
    assert project.task.classes == ["none", "up", "down", "wave"]
    assert project.data.mine == str(path)
    assert project.data.set == tiny_project.data.set
    assert project.training.epochs == EPOCHS
    assert project.training.learning_rate < tiny_project.training.learning_rate


def test_the_file_is_named_by_path_or_by_data():
    assert own_file("wrist", Path("a.npz")) == Path("a.npz")
    assert own_file("b.npz", None) == Path("b.npz")
    with pytest.raises(ConfigError, match="recordings of your own"):
        own_file("wrist", None)
