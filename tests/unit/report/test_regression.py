"""Two reports side by side."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from toolchain.cli import app
from toolchain.errors import ConfigError
from toolchain.report.regression import ALLOWED, RegressionError, compare, parse_thresholds, regressions
from toolchain.report.schema import Report


@pytest.fixture
def value(reported) -> dict[str, Any]:
    return json.loads(reported.report_json.read_text())


def _changed(value: dict[str, Any], change: Callable[[dict[str, Any]], None]) -> Report:
    other = copy.deepcopy(value)
    change(other)
    return Report.model_validate(other)


def _worse(value: dict[str, Any], change: Callable[[dict[str, Any]], None], *allow: str) -> list[str]:
    before, after = Report.model_validate(value), _changed(value, change)
    return [c.key for c in regressions(compare(before, after, parse_thresholds(list(allow))))]


def test_a_run_is_no_worse_than_itself(value):
    changes = compare(Report.model_validate(value), Report.model_validate(value), ALLOWED)
    assert {change.verdict for change in changes} == {"same"}
    assert len(changes) > 20


def _slower(factor: float) -> Callable[[dict[str, Any]], None]:
    def change(value: dict[str, Any]) -> None:
        value["step_cycles"]["max"] *= factor

    return change


def test_small_changes_are_within_and_large_ones_are_worse(value):
    assert _worse(value, _slower(1.019)) == []
    assert _worse(value, _slower(1.021)) == ["step_cycles.max"]
    assert _worse(value, _slower(1.021), "step_cycles=5%") == []
    assert _worse(value, _slower(1.001), "step_cycles.max=0") == ["step_cycles.max"]
    assert _worse(value, _slower(0.5)) == []


def test_accuracy_may_not_fall_and_mismatches_may_not_appear(value):
    def less(value: dict[str, Any]) -> None:
        value["accuracy"]["device"] -= 0.02

    def mismatch(value: dict[str, Any]) -> None:
        value["parity"]["state_mismatches"] += 1

    assert _worse(value, less) == ["accuracy.device"]
    assert _worse(value, less, "accuracy=0.03") == []
    assert _worse(value, mismatch) == ["parity.state_mismatches"]


def test_a_figure_that_is_gone_is_a_regression_and_a_new_one_is_not(value):
    def without(value: dict[str, Any]) -> None:
        value["stack"] = None

    assert _worse(value, without) == ["stack.used_bytes"]
    after = Report.model_validate(value)
    changes = compare(_changed(value, without), after, ALLOWED)
    assert [c.key for c in changes if c.verdict == "new"] == ["stack.used_bytes"]
    assert regressions(changes) == []


@pytest.mark.parametrize("text", ["accuracy", "speed=1", "accuracy=x", "accuracy=-1", "accuracy=inf", "=1"])
def test_wrong_thresholds(text):
    with pytest.raises(ConfigError, match="is no threshold"):
        parse_thresholds([text])


def test_the_command(value, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name, report in (("a", value), ("b", _changed(value, _slower(1.5)).model_dump(by_alias=True))):
        folder = tmp_path / "runs" / name
        folder.mkdir(parents=True)
        (folder / "report.json").write_text(json.dumps(report))
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(app, ["compare", "a", "a"], catch_exceptions=False).exit_code == 0
    with pytest.raises(RegressionError, match="b is worse than a: Step cycles, max"):
        CliRunner().invoke(app, ["compare", "a", "b"], catch_exceptions=False)
    result = CliRunner().invoke(app, ["compare", "b", "a", "--json"], catch_exceptions=False)
    assert {c["verdict"] for c in json.loads(result.stdout)} == {"same", "better"}
