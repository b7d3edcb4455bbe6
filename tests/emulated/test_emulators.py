"""One suite for every emulator that is here and every board that it boots; those that are not are named."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from rich.console import Console

from toolchain.board import CAPABILITIES, EmulatorName, board_names, load_board
from toolchain.emulator.opening import absent
from toolchain.errors import EmulatorError
from toolchain.harness.device import run_device
from toolchain.harness.emulated import default_emulator
from toolchain.runs import Run

pytestmark = pytest.mark.emulated

SECONDS = 4.0
PLACES = [
    pytest.param(name, emulator.name, id=f"{name}-{emulator.name}")
    for name in board_names()
    for emulator in load_board(name).emulators
]


def bootable(name: str, emulator: EmulatorName) -> None:
    """Skip with the board's own sentence, or with the machine's."""
    entry = next(one for one in load_board(name).emulators if one.name == emulator)
    if not entry.tried and absent(emulator):
        pytest.skip(f"{name} on {emulator}: written, not run; {absent(emulator)}")
    if not entry.boots:
        pytest.skip(f"{name} on {emulator}: {entry.why['boot']}")
    if reason := absent(emulator):
        pytest.skip(reason)


@pytest.mark.parametrize(("name", "emulator"), PLACES)
def test_every_sample_equals_the_reference(name: str, emulator: EmulatorName, images: dict[str, Run]) -> None:
    bootable(name, emulator)
    run = images[name]
    run_device(run, load_board(name), Console(quiet=True), seconds=SECONDS, emulator=emulator)
    device = json.loads(run.device_json.read_text())
    parity = device["parity"]
    assert parity["samples"] == parity["samples_fed"] > SECONDS * 100
    assert {key: count for key, count in parity.items() if key.endswith("_mismatches") and count} == {}
    assert device["errors"] == []
    assert device["device"]["emulator"] == emulator
    assert device["source"].startswith("emulated (")


def test_two_runs_under_qemu_say_the_same(images: dict[str, Run], tmp_path: Path) -> None:
    """Of the virtual board test_spine.py shows it."""
    bootable("mps2-an386", "qemu")
    first, second = images["mps2-an386"], Run(tmp_path / "again")
    shutil.copytree(first.path, second.path, symlinks=True)
    results = []
    for run in (first, second):
        run_device(run, load_board("mps2-an386"), Console(quiet=True), seconds=2.0, emulator="qemu")
        results.append(json.loads(run.device_json.read_text()))
    for key in ("parity", "step_cycles", "latency_us", "stack_used_bytes", "measured", "health"):
        assert results[0][key] == results[1][key], key


@pytest.mark.parametrize("name", board_names())
def test_a_board_says_of_every_capability_whether_or_why_not(name: str) -> None:
    for emulator in load_board(name).emulators:
        said = {*emulator.can, *emulator.why}
        assert not emulator.boots or said == set(CAPABILITIES), f"{emulator.name} is silent about some"
        assert all(sentence.endswith(".") for sentence in emulator.why.values())


def test_an_emulator_that_cannot_boot_a_board_says_why() -> None:
    with pytest.raises(EmulatorError, match="QEMU has no nRF52840"):
        load_board("nrf52840").emulator("qemu")
    assert default_emulator(load_board("mps2-an386")) == "qemu"
