"""The table of a search's trials, and which of them nothing beats."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from toolchain.bench.figures import CYCLES_SOURCE, SIZES_SOURCE
from toolchain.search.cost import Cost
from toolchain.search.ledger import Ledger
from toolchain.search.plan import Plan
from toolchain.search.space import Candidate


@dataclass(frozen=True)
class Trial:
    """A candidate after its training. ``score``: mean over the folds; None: beyond the budget, or not finished.

    ``front``: no other trial is at least as good in score, cycles, flash and RAM and better in one.
    """

    one: Candidate
    cost: Cost
    beyond: tuple[str, ...]
    scores: tuple[float, ...]
    front: bool = False

    @property
    def score(self) -> float | None:
        """Mean over the folds."""
        return statistics.mean(self.scores) if self.scores else None


def trials_of(plan: Plan, ledger: Ledger) -> list[Trial]:
    """Return every candidate of the plan with its scores, the best first, the front marked."""
    made = []
    for entry in plan.entries:
        scores = tuple(ledger.scores(entry.one.to_dict()))
        whole = len(scores) == plan.question["folds"] and not entry.beyond
        made.append(Trial(entry.one, entry.cost, entry.beyond, scores if whole else ()))
    done = [trial for trial in made if trial.score is not None]
    marked = [replace(trial, front=not any(_beats(other, trial) for other in done)) for trial in done]
    marked.sort(key=lambda trial: (-(trial.score or 0.0), trial.cost.cycles))
    return [*marked, *(trial for trial in made if trial.score is None)]


def to_json(trials: Sequence[Trial], plan: Plan) -> dict[str, Any]:
    """Return the table as JSON values."""
    return {
        "source": {"score": "measured on host", "cycles": CYCLES_SOURCE, "bytes": SIZES_SOURCE},
        "on": f"{plan.question['folds']} folds by person of the training people, float",
        "question": plan.question,
        "trials": [
            {
                "name": trial.one.name,
                **trial.one.to_dict(),
                **asdict(trial.cost),
                "beyond": list(trial.beyond),
                "score": trial.score,
                "scores": list(trial.scores),
                "front": trial.front,
            }
            for trial in trials
        ],
    }


def markdown(trials: Sequence[Trial]) -> str:
    """Return the table as markdown."""
    lines = [
        "| network | score | folds | cycles | flash | RAM | front |",
        "|---|---|---|---|---|---|---|",
    ]
    for trial in trials:
        score = "-" if trial.score is None else f"{trial.score:.4f}"
        folds = " ".join(f"{one:.3f}" for one in trial.scores) or "-"
        state = "yes" if trial.front else f"beyond {', '.join(trial.beyond)}" if trial.beyond else ""
        cost = trial.cost
        lines.append(
            f"| {trial.one.name} | {score} | {folds} | {cost.cycles:,} | {cost.flash_bytes:,} | {cost.ram_bytes:,} | "
            f"{state} |"
        )
    lines.append("")
    lines.append(
        "Score: accuracy on people not trained on, of the training people (measured on host, float). Cycles of a step: "
        f"{CYCLES_SOURCE}, two wait states for data in flash; bytes: {SIZES_SOURCE}."
    )
    return "\n".join(lines) + "\n"


def _beats(a: Trial, b: Trial) -> bool:
    ours, theirs = _losses(a), _losses(b)
    return ours != theirs and all(x <= y for x, y in zip(ours, theirs, strict=True))


def _losses(trial: Trial) -> tuple[float, ...]:
    cost = trial.cost
    return (-(trial.score or 0.0), cost.cycles, cost.flash_bytes, cost.ram_bytes)
