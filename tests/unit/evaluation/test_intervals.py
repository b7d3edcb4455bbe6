"""Intervals against published tables and against what they must cover."""

from __future__ import annotations

import numpy as np
import pytest

from toolchain.evaluation.intervals import bootstrap, bootstrap_lists, draws, poisson_rate


@pytest.mark.parametrize(
    ("events", "low", "high"),
    [(0, 0.0, 3.6889), (1, 0.0253, 5.5716), (2, 0.2422, 7.2247), (10, 4.7954, 18.3904), (100, 81.36, 121.63)],
)
def test_poisson_intervals_are_garwood_s(events: int, low: float, high: float) -> None:
    estimate = poisson_rate(events, 1.0)
    assert estimate.value == events
    assert estimate.low == pytest.approx(low, abs=5e-3)
    assert estimate.high == pytest.approx(high, abs=5e-3)


def test_rates_are_per_exposure_and_none_without() -> None:
    one, half = poisson_rate(10, 1.0), poisson_rate(10, 0.5)
    assert (half.value, half.low, half.high) == (20.0, 2 * (one.low or 0), 2 * (one.high or 0))
    assert poisson_rate(0, 0.0).value is None


def ratio(sums):
    return sums[:, 0] / sums[:, 1]


def test_bootstrap_resamples_people_not_recordings() -> None:
    """Ten people of whom one fails at everything: recordings would say 0.9 +- 0.02, people say far less."""
    table = np.array([[100.0, 100.0]] * 9 + [[0.0, 100.0]])
    estimate = bootstrap(table, ratio)
    assert estimate.value == 0.9
    assert estimate.low is not None
    assert estimate.low <= 0.75
    assert estimate.high == 1.0
    assert bootstrap(table, ratio) == estimate
    assert (draws(10).sum(axis=1) == 10).all()


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    random = np.random.default_rng(4)
    covered = 0
    for _ in range(200):
        people = random.beta(18, 2, 30)
        estimate = bootstrap(np.stack([people * 50, np.full(30, 50.0)], axis=1), ratio)
        assert estimate.low is not None
        assert estimate.high is not None
        covered += estimate.low <= 0.9 <= estimate.high
    assert 0.87 <= covered / 200 <= 0.99


def test_one_person_has_no_interval_and_nothing_no_value() -> None:
    one = bootstrap(np.array([[3.0, 4.0]]), ratio)
    assert (one.value, one.low, one.high) == (0.75, None, None)
    with np.errstate(invalid="ignore"):
        assert bootstrap(np.zeros((2, 2)), ratio).value is None
    assert bootstrap_lists([[], []], lambda some: float(np.median(some))).value is None
    lists = [[1.0, 2.0, 3.0], [10.0], []]
    estimate = bootstrap_lists(lists, lambda some: float(np.median(some)))
    assert estimate.value == 2.5
    assert estimate.low is not None
    assert estimate.low < 2.5
