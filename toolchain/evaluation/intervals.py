"""95 % intervals: bootstrap over people, exact Poisson for rates."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

LEVEL = 0.95
DRAWS = 2000


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval; None where there is nothing to say (no events, one person)."""

    value: float | None
    low: float | None = None
    high: float | None = None

    def to_dict(self) -> dict[str, float | None]:
        """Return JSON values."""
        return {"value": self.value, "low": self.low, "high": self.high}


def draws(people: int, seed: int = 0, count: int = DRAWS) -> npt.NDArray[np.int64]:
    """Return how often each of ``people`` is drawn, int64 (count, people): people are resampled, not recordings."""
    return np.random.default_rng(seed).multinomial(people, np.full(people, 1 / people), size=count)


def bootstrap(
    values: npt.NDArray[np.number],
    statistic: Callable[[npt.NDArray[np.float64]], npt.NDArray[np.floating]],
    weights: npt.NDArray[np.int64] | None = None,
) -> Estimate:
    """Estimate a statistic of sums over people.

    ``values`` (people, k): what each person adds; ``statistic`` maps sums (n, k) to (n,), NaN where undefined.
    """
    table = np.asarray(values, np.float64)
    value = float(statistic(table.sum(axis=0, keepdims=True))[0])
    if not math.isfinite(value):
        return Estimate(None)
    if len(table) < 2:
        return Estimate(value)
    chosen = draws(len(table)) if weights is None else weights
    drawn = statistic(chosen @ table)
    return Estimate(value, *_percentiles(drawn[np.isfinite(drawn)]))


def bootstrap_lists(
    lists: list[list[float]], statistic: Callable[[npt.NDArray[np.float64]], float], count: int = 500
) -> Estimate:
    """Estimate a statistic of the values of all people together (``lists``: one list for each), such as a median."""
    arrays = [np.asarray(one, np.float64) for one in lists]
    together = np.concatenate(arrays) if arrays else np.zeros(0)
    if not len(together):
        return Estimate(None)
    if len(arrays) < 2:
        return Estimate(statistic(together))
    drawn = []
    for row in draws(len(arrays), count=count):
        some = np.concatenate([np.repeat(one, times) for one, times in zip(arrays, row.tolist(), strict=True)])
        if len(some):
            drawn.append(statistic(some))
    return Estimate(statistic(together), *_percentiles(np.asarray(drawn)))


def poisson_rate(events: int, exposure: float) -> Estimate:
    """Estimate a rate from a count: exact interval of Garwood (Biometrika 28, 1936); None without exposure."""
    if exposure <= 0:
        return Estimate(None)
    tail = (1 - LEVEL) / 2
    low = 0.0 if events == 0 else _solve(lambda mean: 1 - _poisson_cdf(events - 1, mean) - tail, events)
    high = _solve(lambda mean: tail - _poisson_cdf(events, mean), events)
    return Estimate(events / exposure, low / exposure, high / exposure)


def _poisson_cdf(count: int, mean: float) -> float:
    if mean == 0:
        return 1.0
    terms = [k * math.log(mean) - mean - math.lgamma(k + 1) for k in range(count + 1)]
    return math.fsum(math.exp(term) for term in terms)


def _solve(rising: Callable[[float], float], events: int) -> float:
    """Zero of a rising function of the mean, by bisection; the mean lies within 10 deviations of the count."""
    low, high = 0.0, events + 10 * math.sqrt(events + 1) + 10
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < 0 else (low, middle)
    return (low + high) / 2


def _percentiles(values: npt.NDArray[np.float64]) -> tuple[float | None, float | None]:
    if not len(values):
        return None, None
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
