"""Costs without a compiler."""

from __future__ import annotations

from rich.console import Console

from toolchain.search.cost import Cost
from toolchain.search.space import Candidate

QUIET = Console(quiet=True)


class FakeCosts:
    """A hundred cycles a state, twice with rk4."""

    def __init__(self) -> None:
        self.asked: list[Candidate] = []

    def of(self, one: Candidate) -> Cost:
        self.asked.append(one)
        states = sum(one.layers)
        return Cost(100 * states * (2 if one.solver == "rk4" else 1), 40 * states, 10 * states)
