"""The parts of the recipe as changes of the project, folds of the training people, and the table."""

from __future__ import annotations

import numpy as np
import pytest

from toolchain.errors import ConfigError, DataError
from toolchain.project import project_for_data
from toolchain.recordings.recording import Collection, Recording
from toolchain.study.ablation import summary
from toolchain.study.material import Material
from toolchain.study.parts import PARTS, changed, chosen


@pytest.fixture(scope="module")
def project():
    return project_for_data("grwd")


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_every_part_changes_the_recipe_and_nothing_but_what_it_says(project, part):
    made = changed(project, part, seed=3)
    assert made.training.seed == 3
    assert made.training.everyone
    if part.name != "recipe":
        plain = changed(project, PARTS[0], seed=3)
        assert made != plain
    assert made.task == project.task


def test_a_part_that_does_not_exist_is_named():
    assert [part.name for part in chosen(["raw"])] == ["recipe", "raw"]
    with pytest.raises(ConfigError, match="no part 'magic'"):
        chosen(["magic"])


def recording(person, label, kind="window"):
    labels = np.zeros(40, np.int16)
    labels[10:20] = label
    return Recording(np.ones((40, 6), np.float32), np.arange(40) * 5000, labels, person, kind=kind)


@pytest.fixture(scope="module")
def material():
    people = [f"p{i}" for i in range(8)]
    recordings = tuple(recording(p, 1, kind) for p in people for kind in ("window", "stream"))
    made = Collection("tiny", ("none", "up"), "none", recordings, test_people=frozenset({"p6", "p7"}))
    return Material(made, made)


def test_folds_leave_out_the_held_out_people_and_share_nobody(material):
    tested = []
    for k in (1, 2, 3):
        data, whole = material.fold(k, 3)
        test = {r.person for r in whole}
        others = data.people((*data.train, *data.validation))
        assert not test & others
        assert test | others == {f"p{i}" for i in range(6)}
        assert all(r.kind == "window" for r in whole)
        tested += sorted(test)
    assert sorted(tested) == [f"p{i}" for i in range(6)]
    with pytest.raises(DataError, match="no fold 4 of 3"):
        material.fold(4, 3)


def test_the_table_pairs_every_trial_with_the_recipe_of_its_fold_and_seed():
    def trial(part, fold, accuracy):
        return {"part": part, "fold": fold, "seed": 1, "accuracy": accuracy}

    rows = summary([trial("recipe", 1, 0.9), trial("recipe", 2, 0.8), trial("raw", 1, 0.85), trial("raw", 2, 0.79)])
    raw = next(row for row in rows if row["part"] == "raw")
    assert raw["accuracy"] == pytest.approx(0.82)
    assert raw["difference"] == pytest.approx(-0.03)
    assert raw["spread"] == pytest.approx(np.std([-0.05, -0.01], ddof=1))
    alone = summary([trial("raw", 3, 0.5)])[0]
    assert (alone["difference"], alone["spread"]) == (None, None)
