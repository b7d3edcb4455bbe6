"""`tinyltc bench step` on a trained run, and under TensorFlow Lite Micro where TFLM_DIR names it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from rich.console import Console
from small_project import small_project

from toolchain.bench.step import bench_step
from toolchain.board import Board
from toolchain.emulator.image import Program
from toolchain.runs import Run

pytestmark = pytest.mark.emulated


def test_a_trained_runs_step_costs_what_the_whole_firmware_says(
    copy: Run, board: Board, console: Console, tmp_path: Path
) -> None:
    in_flash, in_ram = bench_step(board, console, run=copy, engine="compiled", out=tmp_path / "bench")
    assert in_flash.spread <= 0.02
    assert in_flash.cycles_2ws - in_flash.worst.cycles > in_ram.cycles_2ws - in_ram.worst.cycles
    symbols = json.loads((copy.firmware / "build.json").read_text())["symbols"]
    # The same code: the function that does the step is as long as in the firmware.
    size = {symbol["name"]: symbol["bytes"] for symbol in symbols}["tl_engine_rhs"]
    assert Program(in_flash.image.elf).symbol("tl_engine_rhs").size == size
    assert in_flash.sizes.model == copy.image.stat().st_size


def test_a_trained_right_hand_side_made_ahead_of_time(
    copy: Run, board: Board, console: Console, tmp_path: Path
) -> None:
    (row,) = bench_step(board, console, run=copy, engine="aot", tflite=[copy.tflite], out=tmp_path / "bench")
    assert row.sizes.model > 17_472, "every weight"
    assert row.ram_bytes < 1024
    assert 30_000 < row.worst.cycles < 45_000
    assert row.spread <= 0.02


@pytest.mark.skipif(not os.environ.get("TFLM_DIR"), reason="TFLM_DIR is not set")
def test_tflm_on_the_same_right_hand_side(copy: Run, board: Board, console: Console, tmp_path: Path) -> None:
    row, graph = bench_step(board, console, run=copy, engine="tflm", tflite=[copy.tflite], out=tmp_path / "bench")
    assert small_project().model.layers == [64, 64]
    assert row.ram_bytes < 8 * 1024
    assert 100_000 < row.worst.cycles < 150_000
    (aot,) = bench_step(board, console, run=copy, engine="aot", tflite=[copy.tflite], out=tmp_path / "bench")
    assert aot.image.option == graph.image.option
    assert aot.worst.cycles < graph.worst.cycles < row.worst.cycles
