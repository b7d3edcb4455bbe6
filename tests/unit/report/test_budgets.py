"""Budgets: what is checked, where the border lies, and how failures show."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from toolchain.project import Budgets
from toolchain.report.assemble import assemble
from toolchain.report.budgets import check_budgets
from toolchain.report.rows import rows
from toolchain.report.schema import LatencyBlock, MemoryBlock
from toolchain.report.stages import read_stages
from toolchain.report.table import summary_table

EMULATED = "emulated (cycle estimate)"


def latency(p99_9: float, pipeline_delay: float) -> LatencyBlock:
    fields = dict.fromkeys(("p50", "p95", "p99", "max"), 1.0)
    return LatencyBlock(
        **fields, p99_9=p99_9, pipeline_delay=pipeline_delay, stages={}, samples=1, definition="", source=EMULATED
    )


def memory(flash: int, ram: int) -> MemoryBlock:
    fields = dict.fromkeys(("stack_bytes", "engine_flash_bytes", "model_flash_bytes"), 0)
    return MemoryBlock(**fields, flash_bytes=flash, ram_bytes=ram, source="measured on the ELF file")


@pytest.mark.parametrize(("p99_9", "ok"), [(5384.0, True), (5385.0, True), (5386.0, False)])
def test_latency_counts_the_pipeline_and_the_limit_itself_is_within(p99_9, ok):
    (budget,) = check_budgets(Budgets(latency_ms=15.0), latency(p99_9, 9615.0), None)
    assert (budget.name, budget.unit, budget.ok, budget.source) == ("latency", "ms", ok, EMULATED)
    assert budget.value == pytest.approx((p99_9 + 9615) / 1000)


@pytest.mark.parametrize("over", [0, 1])
def test_one_byte_decides(over):
    limits = Budgets(ram_bytes=16384, flash_bytes=65536)
    ram, flash = check_budgets(limits, None, memory(65536 + over, 16384 + over))
    assert (ram.name, ram.limit, ram.ok) == ("RAM", 16384, not over)
    assert (flash.name, flash.value, flash.ok) == ("flash", 65536 + over, not over)


def test_what_was_not_measured_is_not_checked():
    assert check_budgets(Budgets(), None, None) == []


def test_limits_come_from_the_project_file(files, make_run):
    files["project.json"]["budgets"]["flash_bytes"] = 41871
    report = assemble(read_stages(make_run(files)))
    assert [(b.name, b.ok) for b in report.budgets] == [("latency", True), ("RAM", True), ("flash", False)]
    assert [row.what for row in rows(report) if row.ok is False] == ["Flash, model included"]


@pytest.mark.parametrize(("int8", "ok"), [(0.9741, True), (0.9740, False), (0.99, True)])
def test_int8_may_lose_half_a_point(files, make_run, int8, ok):
    files["int8.json"]["accuracy"] = {"float": 0.9791, "int8": int8}
    report = assemble(read_stages(make_run(files)))
    assert {row.key: row.ok for row in rows(report)}["accuracy.int8"] is ok


@pytest.mark.parametrize("kind", ["code", "timing", "int8", "state", "decision", "command"])
def test_one_mismatch_fails(files, make_run, kind):
    files["device.json"]["parity"][f"{kind}_mismatches"] = 1
    report = assemble(read_stages(make_run(files)))
    assert [row.key for row in rows(report) if row.ok is False] == [f"parity.{kind}_mismatches"]


def test_no_samples_prove_nothing(files, make_run):
    files["device.json"]["parity"] |= {"samples": 0, "samples_fed": 0}
    report = assemble(read_stages(make_run(files)))
    failed = [row.key for row in rows(report) if row.ok is False]
    assert len(failed) == 6
    assert all(key.startswith("parity.") and key.endswith("_mismatches") for key in failed)


def test_all_samples_fed_must_be_compared(files, make_run):
    files["device.json"]["parity"]["samples"] -= 1
    report = assemble(read_stages(make_run(files)))
    assert [row.text for row in rows(report) if row.ok is False] == ["74,879 of 74,880"]


def test_the_terminal_table_shows_value_limit_source_and_verdict(files, make_run):
    files["project.json"]["budgets"]["latency_ms"] = 10.0
    report = assemble(read_stages(make_run(files)))
    out = io.StringIO()
    Console(file=out, width=160).print(summary_table(report))
    lines = [line.split() for line in out.getvalue().splitlines()]
    latency = next(i for i, line in enumerate(lines) if line[:4] == ["p99.9", "+", "pipeline", "delay"])
    assert lines[latency][4:] == ["10.635", "ms", "10", "ms", "FAIL"]
    ram = next(i for i, line in enumerate(lines) if line[:3] == ["RAM,", "stack", "included"])
    assert lines[ram][3:] == ["9.1", "KB", "256.0", "KB", "ok"]
    for row, source in ((latency, EMULATED), (ram, "measured on the ELF file")):
        heading = next(line for line in reversed(lines[:row]) if line and line[-1].endswith(":"))
        assert " ".join(heading) == f"{source}:"
