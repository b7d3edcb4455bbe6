"""The whole road: what the virtual board does with the very image that would be flashed."""

from __future__ import annotations

import json

import pytest
from rich.console import Console

from toolchain.board import Board
from toolchain.errors import ModelError, TinyLtcError
from toolchain.harness.device import run_device
from toolchain.report.make import load_report, make_report
from toolchain.runs import Run

pytestmark = pytest.mark.emulated

SECONDS = 30.0


@pytest.fixture(scope="module")
def measured(spine: Run, board: Board) -> Run:
    run_device(spine, board, Console(quiet=True), seconds=SECONDS)
    return spine


def test_every_sample_equals_the_reference(measured: Run) -> None:
    device = json.loads(measured.device_json.read_text())
    parity = device["parity"]
    assert parity["samples"] == parity["samples_fed"] > SECONDS * 150
    assert {key: parity[f"{key}_mismatches"] for key in ("int8", "state", "decision", "code", "timing", "command")} == {
        key: 0 for key in ("int8", "state", "decision", "code", "timing", "command")
    }
    assert device["errors"] == []


def test_the_serial_port_was_a_port(measured: Run) -> None:
    pty = json.loads(measured.device_json.read_text())["pty"]
    assert pty["samples"] > 100


def test_budgets_of_the_issue(measured: Run) -> None:
    build = json.loads((measured.firmware / "build.json").read_text())
    device = json.loads(measured.device_json.read_text())
    assert measured.tflite.stat().st_size <= 24 * 1024
    assert build["flash_bytes"] <= 64 * 1024
    assert build["ram_bytes"] <= 16 * 1024
    assert device["latency_us"]["p99_9"] <= 5000
    assert device["latency_us"]["p99_9"] + device["latency_us"]["pipeline_delay"] <= 15_000


def test_the_stack_seen_is_within_the_bound(measured: Run) -> None:
    build = json.loads((measured.firmware / "build.json").read_text())
    used = json.loads(measured.device_json.read_text())["stack_used_bytes"]
    assert 0 < used <= build["stack_bound_bytes"] <= build["stack_bytes"]


def test_two_runs_say_the_same(measured: Run, copy: Run, board: Board, console: Console) -> None:
    run_device(copy, board, console, seconds=SECONDS)
    first, second = (json.loads(run.device_json.read_text()) for run in (measured, copy))
    for key in ("parity", "step_cycles", "latency_us", "functions", "stack_used_bytes", "accuracy"):
        assert first[key] == second[key], key


def test_the_report_is_whole(measured: Run, console: Console) -> None:
    make_report(measured, console)
    report = load_report(measured)
    assert report.missing == []
    assert report.parity is not None
    assert measured.report_html.stat().st_size > 10_000


def test_a_damaged_image_is_refused_by_the_device(copy: Run, board: Board, console: Console) -> None:
    """One flipped bit in the flashed weights: the firmware says so and recognizes nothing."""
    path = copy.firmware / "firmware.hex"
    lines = path.read_text().splitlines()
    slot = f"{board.model_slots[0].origin >> 16:04X}"
    start = next(i for i, line in enumerate(lines) if line[7:9] == "04" and line[9:13] == slot)
    record = bytearray.fromhex(lines[start + 200][1:])
    assert record[3] == 0, "not a data record"
    record[4] ^= 1
    record[-1] = -sum(record[:-1]) & 0xFF
    lines[start + 200] = ":" + record.hex().upper()
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(ModelError, match="refuses its model image"):
        run_device(copy, board, console, seconds=5.0)
    assert not copy.device_json.exists() or copy.device_json.stat().st_mtime <= path.stat().st_mtime


def test_a_missing_image_names_the_command(copy: Run, board: Board, console: Console) -> None:
    (copy.firmware / "firmware.elf").unlink()
    with pytest.raises(TinyLtcError, match="tinyltc build"):
        run_device(copy, board, console)
