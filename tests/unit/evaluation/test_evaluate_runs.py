"""The stage from a finished run to evaluate.json, and the table of rows with runs that are made of air."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from toolchain.board import load_board
from toolchain.errors import ConfigError, DataError, ModelError
from toolchain.evaluation import everything, pictures
from toolchain.evaluation.conditions import Conditions
from toolchain.evaluation.evaluate import Asked, evaluate, paired_difference
from toolchain.evaluation.parity import parity
from toolchain.evaluation.published import BEGIN, END, markdown, read_figures, refresh
from toolchain.evaluation.rows import ROWS, Measure, Need, Row
from toolchain.files import write_json
from toolchain.int8.convert import quantize
from toolchain.ltc.decision import decision_spec
from toolchain.ltc.modelspec import save_spec
from toolchain.ltc.train import model_spec
from toolchain.ltc.weights import from_arrays, save_weights, shapes
from toolchain.project import Project, project_for_data, with_options
from toolchain.recordings.catalog import card, load_set, resolved
from toolchain.runs import Run


def gestures(path: Path, people: int, each: int, **changes: Any) -> Path:
    """A flat file: rest, a turn one way or the other, rest; 3 s each at 100 Hz."""
    random = np.random.default_rng(2)
    x = random.normal(0, 0.02, (people * each, 300, 6))
    x[:, :, 2] += 9.8
    x[0::2, 100:200, 5] += 3.0
    x[1::2, 100:200, 5] -= 3.0
    arrays: dict[str, Any] = {
        "x": x.reshape(-1, 6).astype(np.float32),
        "offset": np.arange(people * each + 1) * 300,
        "label": np.arange(people * each) % 2,
        "subject": np.repeat(np.arange(people), each),
        "classes": np.array(["left", "right"]),
        "fs": np.float64(100),
    }
    np.savez(path, **(arrays | changes))
    return path


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """An untrained network of a small file, converted."""
    folder = tmp_path_factory.mktemp("runs")
    run = Run(folder / "tiny")
    path = gestures(folder / "people.npz", people=8, each=4)
    project = with_options(project_for_data("npz"), path=path, layers="6")
    board = load_board("nrf52840")
    project = resolved(project, board.imu.rate_hz)
    data = load_set(project.data, project.task, board.imu.rate_hz)
    few = replace(data, train=data.train[:12], validation=data.validation[:4])
    spec = model_spec(project, board, data)
    random = np.random.default_rng(1)
    wanted = shapes([6], 3, spec.inputs)
    arrays = {key: random.normal(0, 0.4, shape).astype(np.float32) for key, shape in wanted.items()}
    weights = from_arrays(arrays, [6], 3, spec.inputs)
    spec, tflite = quantize(weights, spec, board, few)
    assert spec.int8 is not None
    spec = spec.model_copy(update={"decision": decision_spec(project.decision, data.background, spec.int8.y_scale)})
    run.path.mkdir(exist_ok=True)
    run.save_project(project)
    write_json(run.data_json, card(data, board.imu.rate_hz))
    save_weights(run.weights, weights)
    save_spec(run.model_json, spec)
    run.tflite.write_bytes(tflite)
    return run


@pytest.fixture(autouse=True)
def few_pictures(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """One test draws; the others would only wait for it."""
    if request.function is not test_a_run_is_scored_drawn_and_counted:
        for name in ("draw_confusion", "draw_people", "draw_timeline"):
            monkeypatch.setattr(pictures, name, lambda *_: None)


def quiet() -> Console:
    return Console(file=io.StringIO(), width=120)


def test_a_run_is_scored_drawn_and_counted(finished: Run) -> None:
    console = quiet()
    result = evaluate([finished], Asked(), console)
    written = json.loads((finished.path / "evaluate.json").read_text())
    assert written["results"][written["latest"]] == json.loads(json.dumps(result))
    assert result["n_people"] == 2
    rests = sum(result["confusion"][0])
    assert result["recordings"] == 2 * 4 + rests
    assert result["times_scored"] == 1
    assert result["trained_on"] == []
    assert set(result["misses"]) == set(result["classes"])
    assert sum(map(sum, result["confusion"][1:])) == 8
    assert len(list(finished.path.glob("evaluate-people-*.png"))) == 3
    for value in result["figures"].values():
        assert value["value"] is None or value["low"] is None or value["low"] <= value["value"] <= value["high"]
    again = evaluate([finished], Asked(conditions=Conditions(drop=0.3)), console)
    assert again["times_scored"] == 2
    assert len(json.loads((finished.path / "evaluate.json").read_text())["results"]) == 2
    assert "Worst of them" in console.file.getvalue()  # type: ignore[attr-defined]


def test_float_and_int8_are_compared_in_pairs(finished: Run) -> None:
    one = evaluate([finished], Asked(), quiet())
    other = evaluate([finished], Asked(use_float=True), quiet())
    difference = paired_difference(other, one)
    assert difference["value"] is not None
    assert abs(difference["value"]) < 0.1
    same = paired_difference(one, one)
    assert (same["value"], same["low"], same["high"]) == (0, 0, 0)
    with pytest.raises(DataError, match="not of the same people"):
        paired_difference(one, {**one, "people": one["people"][:1]})


def test_runs_add_up_by_person(finished: Run) -> None:
    both = evaluate([finished, finished], Asked(), quiet())
    alone = evaluate([finished], Asked(), quiet())
    assert both["n_people"] == alone["n_people"]
    assert both["recordings"] == 2 * alone["recordings"]
    assert both["figures"]["accuracy"]["value"] == pytest.approx(alone["figures"]["accuracy"]["value"])
    assert (finished.path.parent / "evaluate" / "tiny+tiny" / "evaluate.json").exists()


def test_people_are_chosen_and_trained_ones_are_named(finished: Run) -> None:
    people = json.loads(finished.data_json.read_text())["people"]
    result = evaluate([finished], Asked(people=(people["train"][0], people["test"][0])), quiet())
    assert result["trained_on"] == people["train"][:1]
    assert result["n_people"] == 2
    with pytest.raises(DataError, match="no person '77'"):
        evaluate([finished], Asked(people=("77",)), quiet())


def test_another_file_is_scored_by_those_it_never_saw(finished: Run, tmp_path: Path) -> None:
    changes = {"subject": np.array([13, 13, 18, 18]), "classes": np.array(["left", "up"])}
    gestures(tmp_path / "new.npz", 2, 2, **changes)
    result = evaluate([finished], Asked("npz", tmp_path / "new.npz"), quiet())
    assert [one["person"] for one in result["people"]] == ["13", "18"]
    assert sum(result["confusion"][1]) == 2
    assert sum(result["confusion"][2]) == 0, "'up' is no class of the run: its recordings are left out"
    only = evaluate([finished], Asked("npz", tmp_path / "new.npz", ("13",)), quiet())
    assert only["n_people"] == 1
    assert only["figures"]["accuracy"]["low"] is None


def test_an_unfinished_run_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="train --run nothing"):
        evaluate([Run(tmp_path / "nothing")], Asked(), quiet())
    with pytest.raises(ConfigError, match="no run"):
        evaluate([], Asked(), quiet())


def _rows(project: Path) -> tuple[Row, ...]:
    need = (Need("tiny", project),)
    return (
        Row("one", "wrist", "accuracy", 0.9, True, need),
        Row("worst", "wrist", "worst person", 0.8, True, need, "worst"),
        Row("lost", "wrist", "lost", 0.01, False, need, "lost", measure=Measure(use_float=True), against=Measure()),
        Row(
            "far", "a file", "x", 4, True, kind="file", statistic="a.b", interval="a.c", path="x.json", command="make x"
        ),
    )


def test_the_table_is_filled_resumed_and_says_what_is_missing(
    finished: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = finished.path.parent
    project: Project = finished.project()
    monkeypatch.setattr(everything, "load_project", lambda path: project)
    (root / "tiny" / "int8.json").write_text("{}")
    rows = _rows(tmp_path / "tinyltc.toml")
    (root.parent / "x.json").unlink(missing_ok=True)
    figures = everything.evaluate_all(root, quiet(), None, rows=rows)
    assert [one["key"] for one in figures] == ["one", "worst", "lost"]
    assert all({"on", "figure", "value", "low", "high", "n_people"} <= one.keys() for one in figures)
    assert json.loads((root / "evaluate" / "figures.json").read_text()) == figures

    (root.parent / "x.json").write_text('{"a": {"b": 5, "c": [4, 6]}}')
    console = quiet()
    monkeypatch.setattr(everything, "evaluate", lambda *_: pytest.fail("measured again"))
    figures = everything.evaluate_all(root, console, None, rows=rows)
    assert [(one["value"], one["low"], one["high"]) for one in figures if one["key"] == "far"] == [(5.0, 4, 6)]
    assert "Nothing changed" in console.file.getvalue()  # type: ignore[attr-defined]
    with pytest.raises(ConfigError, match="no row 'nope'"):
        everything.evaluate_all(root, quiet(), None, ["nope"], rows)


def test_missing_runs_are_made_and_a_stop_keeps_what_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def make(run: Run, project: Project, console: Console) -> None:
        made.append(f"{run.path.name} {project.training.seed} {project.data.fold}")
        raise KeyboardInterrupt

    rows = (
        Row("there", "f", "v", 1, True, kind="file", statistic="v", path="v.json"),
        Row(
            "made",
            "wrist",
            "accuracy",
            1,
            True,
            (Need("w", Path(__file__).parents[3] / "datasets/wrist/tinyltc.toml", 7, "2/4"),),
        ),
    )
    (tmp_path / "v.json").write_text('{"v": 2}')
    with pytest.raises(KeyboardInterrupt):
        everything.evaluate_all(tmp_path / "runs", quiet(), make, rows=rows)
    assert made == ["w 7 2/4"]
    assert [one["key"] for one in json.loads((tmp_path / "runs/evaluate/figures.json").read_text())] == ["there"]


def test_every_row_names_projects_that_exist() -> None:
    assert len({row.key for row in ROWS}) == len(ROWS)
    for row in ROWS:
        assert row.needs or row.kind == "file"
        for need in row.needs:
            assert need.project.exists(), need
    with pytest.raises(ConfigError, match="Rows: grwd"):
        everything.evaluate_all(Path("/nonexistent"), quiet(), None, ["nope"])


def test_int8_and_float_are_compared_over_minutes(finished: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="60 s"):
        parity([finished])
    for name, value in (("SECONDS", 12.0), ("EARLY_S", (2.0, 5.0)), ("LATE_S", (8.0, 11.0))):
        monkeypatch.setattr(f"toolchain.evaluation.parity.{name}", value)
    made = parity([finished])
    assert 0.9 < made["agreement"]["value"] <= 1.0
    assert 0.2 < made["growth"]["value"] < 5.0
    assert made["n_people"] == len(json.loads(finished.data_json.read_text())["people"]["test"])


def test_rows_on_the_board_are_proven_once(finished: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = finished.path.parent
    project: Project = finished.project()
    monkeypatch.setattr(everything, "load_project", lambda path: project)
    rows = (Row("board", "wrist", "accuracy", 0.9, True, (Need("tiny", tmp_path / "x.toml"),), board_s=5.0),)
    asked: list[float] = []

    def on_board(run: Run, seconds: float, console: Console) -> dict[str, Any]:
        asked.append(seconds)
        return {"run": run.path.name, "mismatches": 0}

    for _ in range(2):
        figures = everything.evaluate_all(root, quiet(), None, rows=rows, on_board=on_board)
    assert asked == [5.0]
    assert figures[0]["board"] == [{"run": "tiny", "mismatches": 0}]
    again: list[str] = []
    everything.convert_again(root, quiet(), lambda run, *_: again.append(run.path.name), rows=rows)
    assert again == ["tiny"]


def test_the_table_is_put_between_the_markers(tmp_path: Path) -> None:
    rows = (Row("one", "wrist", "accuracy", 0.9), Row("two", "grwd", "lost", 0.1, False), Row("three", "x", "y"))
    known = [
        {"key": "one", "value": 0.95, "low": 0.9, "high": 0.99, "n_people": 8},
        {"key": "three", "value": 2, "low": None, "high": None, "n_people": None},
    ]
    table = markdown(known, rows)
    assert "| wrist | accuracy | 0.95 | 0.9 to 0.99 | 8 | at least 0.9 | reached |" in table
    assert "| grwd | lost | - | - | - | at most 0.1 | not measured |" in table
    assert "| x | y | 2 | - | - |  | for comparison |" in table
    document = tmp_path / "README.md"
    document.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    refresh(document, table)
    assert document.read_text() == f"before\n{BEGIN}\n\n{table}\n{END}\nafter\n"
    document.write_text("no markers\n")
    with pytest.raises(ConfigError, match="needs one line"):
        refresh(document, table)
    (tmp_path / "figures.json").write_text("{}")
    with pytest.raises(DataError, match="not a list of figures"):
        read_figures(tmp_path / "figures.json")
