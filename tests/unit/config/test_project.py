"""tinyltc.toml: what is checked, and how options change it."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolchain.errors import ConfigError, ModelError
from toolchain.project import DATASETS, load_project, project_for_data, with_options
from toolchain.runs import open_run


@pytest.mark.parametrize("name", sorted(path.parent.name for path in DATASETS.glob("*/tinyltc.toml")))
def test_built_in_projects_are_valid(name: str) -> None:
    project = project_for_data(name)
    assert project.data.set == name
    assert project.task.background in project.task.classes


def test_unknown_data_set_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"no data set 'nope'.*wrist"):
        project_for_data("nope")


def test_missing_file() -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        load_project(Path("nowhere/tinyltc.toml"))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[model]", "[modle]", "key 'modle': is not a known key"),
        ('background = "none"', 'background = "rest"', "must be one of the classes"),
        ('"tap", "rotate"', '"tap", "tap"', "must not repeat"),
        ("layers = [64, 64]", "layers = [64, 0]", "model.layers.1"),
        ("[task]", "[task", "not valid TOML"),
    ],
)
def test_faults_name_file_and_key(tmp_path: Path, old: str, new: str, message: str) -> None:
    text = (DATASETS / "wrist" / "tinyltc.toml").read_text()
    assert text.count(old) == 1
    path = tmp_path / "tinyltc.toml"
    path.write_text(text.replace(old, new))
    with pytest.raises(ConfigError, match=message) as caught:
        load_project(path)
    assert str(path) in str(caught.value)


def test_options_override() -> None:
    project = with_options(project_for_data("wrist"), layers="8,16", epochs=3, seed=7, board="nrf52840")
    assert project.model.layers == [8, 16]
    assert (project.training.epochs, project.training.seed) == (3, 7)


def test_the_solver_is_one_of_four_and_old_projects_have_the_first() -> None:
    project = project_for_data("wrist")
    assert project.model.solver == "semi_implicit"
    assert with_options(project, solver="rk4").model.solver == "rk4"
    with pytest.raises(ConfigError, match=r"model\.solver"):
        with_options(project, solver="heun")


@pytest.mark.parametrize("layers", ["", "64;64", "0", "64,-1", "1,2,3,4,5,6,7,8,9"])
def test_wrong_layers_are_refused(layers: str) -> None:
    with pytest.raises(ConfigError):
        with_options(project_for_data("wrist"), layers=layers)


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "x" * 65])
def test_names_of_runs_cannot_leave_the_folder(name: str) -> None:
    with pytest.raises(ConfigError, match="not a name for a run"):
        open_run(name)


def test_a_run_that_was_not_trained(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="tinyltc train --run fresh"):
        open_run("fresh", tmp_path).project()


def test_a_run_keeps_its_project(tmp_path: Path) -> None:
    run = open_run("kept", tmp_path)
    project = with_options(project_for_data("wrist"), layers="5")
    run.save_project(project)
    assert run.project() == project
