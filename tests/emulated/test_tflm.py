"""TensorFlow Lite Micro itself on the virtual board, where TFLM_DIR names a checkout of it with a built library."""

from __future__ import annotations

import json
import os

import pytest
from rich.console import Console

from toolchain.board import Board
from toolchain.build import build
from toolchain.codegen.generate import generate
from toolchain.harness.device import run_device
from toolchain.runs import Run

pytestmark = [
    pytest.mark.emulated,
    pytest.mark.skipif(not os.environ.get("TFLM_DIR"), reason="TFLM_DIR is not set"),
]

SECONDS = 10.0


def test_every_sample_equals_the_reference(copy: Run, board: Board, console: Console) -> None:
    generate(copy, board, "tflm", console)
    build(copy, board, "tflm", console)
    run_device(copy, board, console, seconds=SECONDS)
    device = json.loads(copy.device_json.read_text())
    parity = device["parity"]
    assert device["device"]["engine"] == "tflm"
    assert parity["samples"] == parity["samples_fed"] > SECONDS * 150
    assert {name: count for name, count in parity.items() if name.endswith("_mismatches") and count} == {}
    assert device["errors"] == []
    assert device["health"]["engine_errors"] == 0
    # The library's call graph is not known, so nothing bounds its stack: it was painted and looked at.
    assert 0 < device["stack_used_bytes"] <= board.memory.stack_bytes * 3 // 4
