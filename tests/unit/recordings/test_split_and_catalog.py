from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from toolchain.board import load_board
from toolchain.errors import ConfigError, DataError
from toolchain.project import Data, Task, project_for_data
from toolchain.recordings import catalog, storage
from toolchain.recordings.recording import UNKNOWN, Collection, Recording
from toolchain.recordings.resample import resample
from toolchain.recordings.show import show_set
from toolchain.recordings.splits import draw_people, fold_people, parse_fold, split_fold, split_people
from toolchain.recordings.storage import save_set
from toolchain.runs import Run

RATE_HZ = 208.0
WRIST = project_for_data("wrist").task


@settings(max_examples=60, deadline=None)
@given(st.integers(6, 60), st.floats(0.02, 0.45), st.floats(0.02, 0.45), st.integers(0, 1000))
def test_split_is_a_partition_that_order_does_not_change(n: int, validation: float, test: float, seed: int) -> None:
    people = {f"p{i}": ("left", "right")[i % 3 == 0] for i in range(n)}
    try:
        parts = split_people(people, validation, test, seed)
    except DataError:
        assert max(1, round(validation * n)) + max(1, round(test * n)) >= n
        return
    assert sorted([*parts[0], *parts[1], *parts[2]]) == sorted(people)
    assert all(parts)
    assert parts == split_people(dict(reversed(people.items())), validation, test, seed)


@pytest.mark.parametrize("seed", range(20))
def test_rare_ways_of_wearing_are_spread(seed: int) -> None:
    people = {f"p{i}": "turned" if i < 8 else "right" for i in range(48)}
    parts = split_people(people, 0.15, 0.25, seed)
    turned = [sum(people[name] == "turned" for name in part) for part in parts]
    assert turned[0] >= 4
    assert turned[2] in (1, 2, 3)


def test_held_out_people_are_the_test_people() -> None:
    people = {f"p{i}": "" for i in range(12)}
    train, validation, test = split_people(people, 0.2, 0.5, 1, {"p3", "p5", "elsewhere"})
    assert test == ["p3", "p5"]
    assert len(validation) == 2
    assert len(train) == 8
    assert draw_people(people, 0, 1) == []


def test_too_few_people_are_refused() -> None:
    with pytest.raises(DataError, match="2 people cannot be split"):
        split_people({"a": "", "b": ""}, 0.4, 0.4, 1)


def test_the_card_counts_the_set() -> None:
    data = Data(set="wrist", people=8, seed=3)
    dataset = catalog.load_set(data, WRIST, RATE_HZ)
    card = json.loads(json.dumps(catalog.card(dataset, RATE_HZ)))
    assert card["windows"] == {"train": 60 * 5, "validation": 60, "test": 120}
    assert card["streams"] == {"train": 10, "validation": 2, "test": 4}
    assert card["classes"] == WRIST.classes
    assert card["background"] == "none"
    assert not set(card["people"]["train"]) & set(card["people"]["test"])
    assert card["seconds"]["test"] == pytest.approx(2 * (60 * 1.25 + 120), rel=0.01)
    assert card["windows_by_class"]["validation"] == {"none": 20, **dict.fromkeys(WRIST.classes[1:], 10)}


def test_classes_are_selected_and_ordered_by_the_task(simulated: Collection) -> None:
    task = Task(name="two", classes=["rotate", "none", "tap"], background="none")
    chosen = catalog.select(simulated, task)
    assert chosen.classes == ("rotate", "none", "tap")
    for kind in ("window", "stream"):
        before = [r for r in simulated.recordings if r.kind == kind]
        after = [r for r in chosen.recordings if r.kind == kind]
        if kind == "window":
            before = [r for r in before if r.label(0) in (0, 3, 4)]
        for a, b in zip(after, before, strict=True):
            for old, new in ((0, 1), (1, UNKNOWN), (2, UNKNOWN), (3, 2), (4, 0)):
                assert (a.labels[b.labels == old] == new).all()


@pytest.mark.parametrize(
    ("task", "said"),
    [
        (Task(name="t", classes=["none", "wave"]), "no class 'wave'"),
        (Task(name="t", classes=["none", "tap"], background="tap"), "background 'tap' is 'none'"),
    ],
)
def test_a_task_that_does_not_fit_says_why(simulated: Collection, task: Task, said: str) -> None:
    with pytest.raises(DataError, match=said):
        catalog.select(simulated, task)


def test_an_unknown_set_names_the_known_ones() -> None:
    with pytest.raises(DataError, match="no data set 'wrsit'") as caught:
        catalog.load_set(Data(set="wrsit"), WRIST, RATE_HZ)
    assert "wrist, grwd, uhh, spsw, spar, npz, csv" in caught.value.hint


def test_a_file_of_ours_is_a_data_set(simulated: Collection, tmp_path: Path) -> None:
    windows = tuple(r for r in simulated.recordings if r.kind == "window")
    save_set(tmp_path / "mine.npz", replace(simulated, name="mine", recordings=windows))
    dataset = catalog.load_set(Data(set=str(tmp_path / "mine.npz")), WRIST, RATE_HZ)
    assert dataset.name == "mine"
    assert sum(map(len, (dataset.train, dataset.validation, dataset.test))) == len(windows)
    assert dataset.test[0].label(0) == next(r for r in windows if r.person == dataset.test[0].person).label(0)
    assert catalog.as_collection(dataset).classes == simulated.classes


def test_a_class_that_nobody_performs_is_named(simulated: Collection, tmp_path: Path) -> None:
    kept = tuple(r for r in simulated.recordings if r.kind == "window" and r.label(0) != 3)
    save_set(tmp_path / "notap.npz", replace(simulated, recordings=kept))
    with pytest.raises(DataError, match=r"'tap' .* no recordings"):
        catalog.load_set(Data(set=str(tmp_path / "notap.npz")), WRIST, RATE_HZ)


def test_resampling_keeps_a_straight_line_straight() -> None:
    rng = np.random.default_rng(2)
    t_us = np.cumsum(rng.integers(2000, 13000, 400))
    samples = (t_us[:, None] * 1e-6 * np.arange(1, 7)).astype(np.float32)
    labels = (np.arange(400) > 200).astype(np.int16)
    even = resample(Recording(samples, t_us, labels, "a"), RATE_HZ)
    assert even.t_us[0] == t_us[0]
    assert 0 <= t_us[-1] - even.t_us[-1] < 1e6 / RATE_HZ + 1
    assert set(np.diff(even.t_us)) <= {4807, 4808}
    assert np.allclose(even.samples, even.t_us[:, None] * 1e-6 * np.arange(1, 7), atol=1e-4)
    change = even.t_us[np.flatnonzero(even.labels)[0]]
    assert abs(change - (t_us[200] + t_us[201]) / 2) <= 1e6 / RATE_HZ


def test_resampling_one_sample_and_a_wrong_rate() -> None:
    one = Recording(np.ones((1, 6), np.float32), np.zeros(1, np.int64), np.zeros(1, np.int16), "a")
    assert resample(one, RATE_HZ).samples.tolist() == one.samples.tolist()
    with pytest.raises(DataError, match="0 Hz"):
        resample(one, 0.0)


def test_a_set_is_shown_drawn_and_exported(tmp_path: Path) -> None:
    project = project_for_data("wrist")
    project.data.people = 6
    run, out = Run(tmp_path / "run"), tmp_path / "out.npz"
    text = io.StringIO()
    show_set(run, project, load_board("nrf52840"), Console(file=text, width=120), out)
    assert (run.path / "data.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in run.path.iterdir()) == ["card.json", "data.png"]
    assert json.loads(run.card_json.read_text())["clipped"]["train"] < 0.01
    assert "swipe_left" in text.getvalue()
    back = storage.load_collection(out)
    assert len(back.recordings) == 6 * 62


@settings(max_examples=60, deadline=None)
@given(st.integers(4, 40), st.integers(2, 8), st.integers(0, 1000))
def test_folds_deal_everybody_once(n: int, folds: int, seed: int) -> None:
    people = {f"p{i}": ("left", "right")[i % 3 == 0] for i in range(n)}
    if folds > n:
        with pytest.raises(DataError, match="cannot be dealt"):
            fold_people(people, folds, seed)
        return
    dealt = fold_people(people, folds, seed)
    assert sorted(name for fold in dealt for name in fold) == sorted(people)
    assert max(map(len, dealt)) - min(map(len, dealt)) <= 1
    for k in range(1, folds + 1):
        try:
            train, validation, test = split_fold(people, f"{k}/{folds}", 0.15, seed)
        except DataError:
            assert n - len(dealt[k - 1]) <= max(1, round(0.15 * n))
            continue
        assert test == dealt[k - 1]
        assert sorted([*train, *validation, *test]) == sorted(people)
        assert train
        assert validation


def test_as_many_folds_as_people_leave_one_out() -> None:
    people = dict.fromkeys("abcde", "")
    assert sorted(split_fold(people, f"{k}/5", 0.2, 1)[2][0] for k in range(1, 6)) == list("abcde")


@pytest.mark.parametrize("text", ["0/4", "5/4", "1/1", "x/4", "1/4/2", "2", "-1/4"])
def test_a_wrong_fold_says_how_to_write_one(text: str) -> None:
    with pytest.raises(ConfigError, match="is not a fold"):
        parse_fold(text)
