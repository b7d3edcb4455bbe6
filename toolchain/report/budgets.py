"""The limits of the project file against what was found."""

from __future__ import annotations

from toolchain.project import Budgets
from toolchain.report.schema import BudgetBlock, LatencyBlock, MemoryBlock, PowerBlock


def _check(name: str, value: float, limit: float, unit: str, source: str) -> BudgetBlock:
    return BudgetBlock(name=name, limit=limit, value=value, unit=unit, ok=value <= limit, source=source)


def check_budgets(
    budgets: Budgets,
    latency: LatencyBlock | None,
    memory: MemoryBlock | None,
    power: PowerBlock | None = None,
    arena_bytes: int | None = None,
) -> list[BudgetBlock]:
    """Check latency (p99.9 of data-ready to command, plus the pipeline's delay), power, RAM, flash, and engine RAM
    against the limit of the arena.

    A value at the limit is within it. What was not measured is left out.
    """
    checked = []
    if latency:
        value = (latency.p99_9 + latency.pipeline_delay) / 1000
        checked.append(_check("latency", value, budgets.latency_ms, "ms", latency.source))
    if power:
        checked.append(_check("power", power.value, budgets.power_mw, "mW", power.source))
    if memory:
        checked.append(_check("RAM", memory.ram_bytes, budgets.ram_bytes, "bytes", memory.source))
        checked.append(_check("flash", memory.flash_bytes, budgets.flash_bytes, "bytes", memory.source))
        if arena_bytes is not None:
            checked.append(_check("arena", arena_bytes, budgets.arena_bytes, "bytes", memory.source))
    return checked
