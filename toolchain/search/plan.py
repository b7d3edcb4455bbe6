"""What a search is going to do: fixed before it starts, so that one that was killed goes on with the same question."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from toolchain.board import Board
from toolchain.errors import ConfigError
from toolchain.files import read_json, validated, write_json
from toolchain.project import Project
from toolchain.search.budget import NAMES, Budget
from toolchain.search.cost import Cost, Costs
from toolchain.search.space import Candidate, candidate, candidates

REFUSED_MOST = 200
"""After so many candidates beyond the budget in a row the search for one that fits ends."""


@dataclass(frozen=True)
class Entry:
    """A candidate with its cost; ``beyond``: the limits that it breaks. Only one that breaks none is trained."""

    one: Candidate
    cost: Cost
    beyond: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """``question``: everything that the entries and the scores depend on, as JSON values."""

    question: dict[str, Any]
    entries: tuple[Entry, ...]

    @property
    def chosen(self) -> list[Entry]:
        """The candidates that are trained."""
        return [entry for entry in self.entries if not entry.beyond]


def question(project: Project, board: Board, budget: Budget, *, trials: int, folds: int, seed: int) -> dict[str, Any]:
    """Return what a search asks, as JSON values."""
    return {
        "project": project.model_dump(mode="json"),
        "board": board.name,
        "budget": asdict(budget),
        "trials": trials,
        "folds": folds,
        "seed": seed,
    }


def planned(path: Path, asked: dict[str, Any], board: Board, costs: Costs, console: Console) -> Plan:
    """Return the plan in ``path``, or make and write it. Raises ConfigError if ``path`` answers another question, or if
    no candidate is within the budget."""
    if path.exists():
        before = read_json(path, ConfigError, "Choose another name with --run.")
        if before.get("question") != asked:
            raise ConfigError(
                f"{path.parent} holds another search.",
                "Give the same options to resume it, or another name with --run.",
            )
        return Plan(asked, tuple(_entry(value) for value in before["entries"]))
    project = validated(Project, asked["project"], path)
    budget = Budget(**asked["budget"])
    entries: list[Entry] = []
    wanted, refused = asked["trials"], 0
    for one in candidates(project, asked["seed"]):
        if wanted == 0 or refused == REFUSED_MOST:
            break
        cost = costs.of(one)
        beyond = tuple(budget.exceeded(cost.cycles, cost.flash_bytes, cost.ram_bytes))
        entries.append(Entry(one, cost, beyond))
        wanted, refused = (wanted, refused + 1) if beyond else (wanted - 1, 0)
        verdict = f"beyond {', '.join(beyond)}" if beyond else "fits"
        console.print(
            f"{one.name}: {cost.cycles:,} cycles, {cost.flash_bytes:,} bytes of flash, {cost.ram_bytes:,} of RAM: "
            f"{verdict}",
            highlight=False,
        )
    if all(entry.beyond for entry in entries):
        least = min(entries, key=lambda entry: entry.cost.cycles).cost
        limits = ", ".join(f"{name} {asked['budget'][name]:,}" for name in NAMES if asked["budget"][name] is not None)
        raise ConfigError(
            f"None of {len(entries)} networks is within the budget ({limits}); the one with the fewest cycles takes "
            f"{least.cycles:,} cycles, {least.flash_bytes:,} bytes of flash and {least.ram_bytes:,} of RAM.",
            "Raise the budget.",
        )
    write_json(path, {"question": asked, "entries": [_to_dict(entry) for entry in entries]})
    return Plan(asked, tuple(entries))


def _to_dict(entry: Entry) -> dict[str, Any]:
    return {"candidate": entry.one.to_dict(), "cost": asdict(entry.cost), "beyond": list(entry.beyond)}


def _entry(value: dict[str, Any]) -> Entry:
    return Entry(candidate(value["candidate"]), Cost(**value["cost"]), tuple(value["beyond"]))
