"""The limits of the project file against what was found. Power is not estimated yet, so it is not checked."""

from __future__ import annotations

from toolchain.project import Budgets
from toolchain.report.schema import BudgetBlock, LatencyBlock, MemoryBlock


def _check(name: str, value: float, limit: float, unit: str, source: str) -> BudgetBlock:
    return BudgetBlock(name=name, limit=limit, value=value, unit=unit, ok=value <= limit, source=source)


def check_budgets(budgets: Budgets, latency: LatencyBlock | None, memory: MemoryBlock | None) -> list[BudgetBlock]:
    """Check latency (p99.9 of data-ready to command, plus the pipeline's delay), RAM and flash.

    A value at the limit is within it. What was not measured is left out.
    """
    checked = []
    if latency:
        value = (latency.p99_9 + latency.pipeline_delay) / 1000
        checked.append(_check("latency", value, budgets.latency_ms, "ms", latency.source))
    if memory:
        checked.append(_check("RAM", memory.ram_bytes, budgets.ram_bytes, "bytes", memory.source))
        checked.append(_check("flash", memory.flash_bytes, budgets.flash_bytes, "bytes", memory.source))
    return checked
