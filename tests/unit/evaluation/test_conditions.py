"""How a set is fed: rates, losses and pretended time; and the count of looks."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from evaluation_fakes import recording

from toolchain.errors import ConfigError, DataError
from toolchain.evaluation.conditions import Conditions, feed
from toolchain.evaluation.ledger import count_scoring

SPEC: Any = SimpleNamespace(rate_hz=208.0, period_us=4808)
LABELS = [0] * 200 + [1] * 200 + [0] * 200


def test_the_usual_condition_is_the_model_s_rate() -> None:
    (one,) = feed([recording(LABELS)], Conditions(), SPEC, simulated=False)
    assert one.true is one.told
    assert set(np.diff(one.true.t_us).tolist()) <= {4807, 4808}
    assert Conditions().label == ""


def test_simulated_sets_have_that_rate_already() -> None:
    original = recording(LABELS)
    (one,) = feed([original], Conditions(), SPEC, simulated=True)
    assert one.true is original
    (slow,) = feed([original], Conditions(rate_hz=50), SPEC, simulated=True)
    assert np.diff(slow.true.t_us).tolist() == [20_000] * (len(slow.true.t_us) - 1)


def test_native_stamps_and_losses_keep_true_time() -> None:
    original = recording(LABELS)
    (native,) = feed([original], Conditions(native=True), SPEC, simulated=False)
    assert native.told is original
    (half,) = feed([original], Conditions(native=True, drop=0.5), SPEC, simulated=False)
    assert 0.4 < len(half.told.t_us) / len(LABELS) < 0.6
    assert np.isin(half.told.t_us, original.t_us).all()
    assert np.array_equal(half.told.labels, original.labels[np.isin(original.t_us, half.told.t_us)])
    (again,) = feed([original], Conditions(native=True, drop=0.5), SPEC, simulated=False)
    assert np.array_equal(again.told.t_us, half.told.t_us)


def test_a_fixed_rate_is_told_but_scored_in_true_time() -> None:
    conditions = Conditions(drop=0.5, fixed_rate=True)
    (one,) = feed([recording(LABELS)], conditions, SPEC, simulated=False)
    assert set(np.diff(one.told.t_us).tolist()) == {4808}
    assert one.true.seconds > 1.8 * one.told.seconds
    assert conditions.label == "0.5 dropped, fixed rate"


@pytest.mark.parametrize(
    "wrong",
    [{"drop": 1.0}, {"drop": -0.1}, {"drop": float("nan")}, {"rate_hz": 0.0}, {"native": True, "rate_hz": 50.0}],
)
def test_impossible_conditions_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        Conditions(**wrong)


def test_looks_are_counted_by_person(tmp_path: Path) -> None:
    assert count_scoring(tmp_path, "grwd", ["a", "b"]) == 1
    assert count_scoring(tmp_path, "grwd", ["b"]) == 2
    assert count_scoring(tmp_path, "spsw", ["b"]) == 1
    assert json.loads((tmp_path / "scored.json").read_text())["grwd"] == {"a": 1, "b": 2}


@pytest.mark.parametrize("text", ["[]", '{"grwd": 3}', '{"grwd": {"a": -1}}', "{"])
def test_a_damaged_count_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "scored.json").write_text(text)
    with pytest.raises(DataError):
        count_scoring(tmp_path, "grwd", ["a"])
