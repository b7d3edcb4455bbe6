"""Readings that cannot be true are refused; energy of the marks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from toolchain.errors import MeterError
from toolchain.power.readings import Readings, check, energy_of_marks


def readings(seconds: float = 1.0) -> Readings:
    """1 mA with noise, and a mark of 500 us at 5 mA more every 5 ms, at 100 kHz."""
    count = round(seconds * 100_000)
    current = 1e-3 + np.random.default_rng(1).normal(0, 1e-6, count)
    marks = (np.arange(count) % 500 < 50).astype(np.uint8) << 2
    return Readings(current + 5e-3 * (marks > 0), 1e-5, 3.0, "measured on bench", marks)


def test_sound_readings_pass() -> None:
    good = check(readings())
    assert good.average_mw == pytest.approx(3.0 * 1.5, rel=1e-3)
    assert good.energy_mj == pytest.approx(4.5, rel=1e-3)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"current_a": lambda c: np.where(np.arange(len(c)) == 7, 9.9e3, c)}, "9.9e"),
        ({"current_a": lambda c: np.where(np.arange(len(c)) == 7, np.nan, c)}, "1 readings are no numbers"),
        ({"current_a": lambda c: c * 0}, "reads nothing"),
        ({"current_a": lambda c: -c}, "less than nothing"),
        ({"current_a": lambda c: np.full(len(c), 1e-3)}, "one and the same reading"),
        ({"current_a": lambda c: c[:1]}, "gave 1 readings"),
        ({"lost": lambda _: 1000}, "lost 1000 of 101000"),
        ({"volt": lambda _: 0.0}, "supply of 0 V"),
    ],
)
def test_impossible_readings_are_refused(change: dict, what: str) -> None:
    sound = readings()
    wrong = replace(sound, **{key: make(getattr(sound, key)) for key, make in change.items()})
    with pytest.raises(MeterError, match=what):
        check(wrong)


def test_energy_of_a_step() -> None:
    energy = energy_of_marks(readings(), 2)
    assert energy is not None
    # It begins inside a pulse, which is left out, and 199 follow.
    assert energy.times == 199
    assert energy.width_us == pytest.approx(500)
    assert energy.energy_uj == pytest.approx(6e-3 * 3.0 * 500, rel=1e-3)
    assert energy_of_marks(readings(), 0) is None
    assert energy_of_marks(replace(readings(), marks=None), 2) is None
