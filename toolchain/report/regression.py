"""Two runs side by side: what got better, what got worse, and what got worse by more than is allowed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rich import box
from rich.markup import escape
from rich.table import Table

from toolchain.errors import ConfigError, TinyLtcError
from toolchain.report.rows import Row, rows
from toolchain.report.schema import Report

Better = Literal["higher", "lower"]
Verdict = Literal["same", "better", "within", "worse", "gone", "new"]


@dataclass(frozen=True, slots=True)
class Allowed:
    """How much worse a figure may get: ``amount``, of its old value if ``relative``."""

    better: Better
    amount: float
    relative: bool

    def limit(self, before: float) -> float:
        """Return the worst value that is no regression."""
        slack = abs(before) * self.amount if self.relative else self.amount
        return before - slack if self.better == "higher" else before + slack


ALLOWED: dict[str, Allowed] = {
    "accuracy": Allowed("higher", 0.01, relative=False),
    "stream.event_recall": Allowed("higher", 0.02, relative=False),
    "stream.false_per_hour": Allowed("lower", 2.0, relative=False),
    "stream.delay_ms_median": Allowed("lower", 20.0, relative=False),
    "parity_host": Allowed("lower", 0.0, relative=False),
    "parity.samples": Allowed("higher", 1.0, relative=True),
    "parity": Allowed("lower", 0.0, relative=False),
    "step_cycles": Allowed("lower", 0.02, relative=True),
    "latency_us": Allowed("lower", 0.02, relative=True),
    "model": Allowed("lower", 0.02, relative=True),
    "memory": Allowed("lower", 0.02, relative=True),
    "stack": Allowed("lower", 0.05, relative=True),
    "power_mw": Allowed("lower", 0.05, relative=True),
}
"""By the first part of a row's key, or by the whole key. What is in no entry is shown and never judged: the speed of an
emulation says more of the machine than of the run, and the budgets repeat other rows."""


@dataclass(frozen=True, slots=True)
class Change:
    """One figure in two runs; ``allowed`` is None for what is not judged."""

    key: str
    what: str
    before: str
    after: str
    verdict: Verdict
    limit: float | None


class RegressionError(TinyLtcError):
    """A run is worse than another by more than is allowed."""

    exit_code = 11


def parse_thresholds(texts: list[str]) -> dict[str, Allowed]:
    """Return ALLOWED with entries such as ``accuracy=0.02`` or ``step_cycles=5%`` changed; raises ConfigError."""
    allowed = dict(ALLOWED)
    for text in texts:
        key, equals, value = text.partition("=")
        try:
            amount = float(value.removesuffix("%")) / (100 if value.endswith("%") else 1)
        except ValueError:
            amount = -1.0
        base = _allowed_for(key, ALLOWED)
        if not equals or base is None or not 0 <= amount < float("inf"):
            hint = f"Give KEY=AMOUNT or KEY=PERCENT%, with a key of: {', '.join(ALLOWED)}."
            raise ConfigError(f"'{text}' is no threshold.", hint)
        allowed[key] = Allowed(base.better, amount, relative=value.endswith("%"))
    return allowed


def _allowed_for(key: str, allowed: dict[str, Allowed]) -> Allowed | None:
    return allowed.get(key) or allowed.get(key.partition(".")[0])


def compare(before: Report, after: Report, allowed: dict[str, Allowed]) -> list[Change]:
    """Return every figure of two reports in reading order.

    A figure that was judged before and is gone counts as worse: a broken measurement must not look like a good one.
    """
    old, new = ({row.key: row for row in rows(report)} for report in (before, after))
    keys = [*old, *(key for key in new if key not in old)]
    return [_change(key, old.get(key), new.get(key), _allowed_for(key, allowed)) for key in keys]


def _change(key: str, old: Row | None, new: Row | None, allowed: Allowed | None) -> Change:
    known = old or new
    assert known is not None
    texts = (old.text if old else "", new.text if new else "")
    if old is None or old.value is None:
        return Change(key, known.what, *texts, "new", None)
    limit = allowed.limit(old.value) if allowed else None
    if new is None or new.value is None:
        return Change(key, known.what, *texts, "gone", limit)
    if new.value == old.value or allowed is None or limit is None:
        return Change(key, known.what, *texts, "same" if new.value == old.value else "within", limit)
    higher = new.value > old.value
    if higher == (allowed.better == "higher"):
        verdict: Verdict = "better"
    else:
        beyond = new.value > limit if allowed.better == "lower" else new.value < limit
        verdict = "worse" if beyond else "within"
    return Change(key, known.what, *texts, verdict, limit)


def regressions(changes: list[Change]) -> list[Change]:
    """Return what is worse by more than is allowed, or judged and gone."""
    return [c for c in changes if c.verdict == "worse" or (c.verdict == "gone" and c.limit is not None)]


_MARKS = {
    "same": "",
    "within": "",
    "new": "new",
    "better": "[green]better[/green]",
    "worse": "[bold red]WORSE[/bold red]",
    "gone": "[bold red]GONE[/bold red]",
}


def table(before: Report, after: Report, changes: list[Change]) -> Table:
    """Make the table of two runs."""
    shown = Table(box=box.SIMPLE_HEAD)
    for name in ("what", escape(before.run), escape(after.run), ""):
        shown.add_column(name, justify="left" if name in ("what", "") else "right")
    for change in changes:
        shown.add_row(change.what, change.before, change.after, _MARKS[change.verdict])
    return shown
