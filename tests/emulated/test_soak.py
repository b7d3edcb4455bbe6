"""The short form of `make soak`, and that it would have found what it looks for."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from toolchain.board import load_board
from toolchain.emulator.opening import absent
from toolchain.harness.soak import Soak, run_soak
from toolchain.runs import Run

pytestmark = pytest.mark.emulated
SOUND = Soak("b", "virtual", "emulated", 60.0, 6.0, 100, 100, 100, running=False)


@pytest.mark.parametrize(("name", "emulator"), [("nrf52840", "virtual"), ("mps2-an386", "qemu")])
def test_a_short_soak(name: str, emulator: str, images: dict[str, Run]) -> None:
    if reason := absent(emulator):  # type: ignore[arg-type]
        pytest.skip(reason)
    run = images[name]
    soak = run_soak(run, load_board(name), Console(quiet=True), 10 / 3600, emulator)  # type: ignore[arg-type]
    assert soak.faults == []
    assert soak.samples_made == soak.samples_counted == soak.stamps > 2000
    assert soak.worst_decision_us < 2000
    assert json.loads((run.path / "soak.json").read_text())["faults"] == []


@pytest.mark.slow
def test_the_32_bit_counter_wraps_under_load(images: dict[str, Run]) -> None:
    run = images["mps2-an386"]
    soak = run_soak(run, load_board("mps2-an386"), Console(quiet=True), 1.25, "qemu")
    assert soak.faults == []
    assert soak.stamps > 900_000


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"missed_deadlines": 1}, "1 deadlines"),
        ({"overruns": 2}, "2 deadlines"),
        ({"samples_made": 101}, "101 samples were made, 100 counted"),
        ({"samples_lost": 1}, "counted"),
        ({"uneven_stamps": 1}, "stamps"),
        ({"stamps": 99}, "stamps"),
        ({"frames_lost": 1}, "frames"),
        ({"resets": 1}, "reset 1 times"),
    ],
)
def test_what_must_not_be_is_told(change: dict[str, int], words: str) -> None:
    assert SOUND.faults == []
    (fault,) = replace(SOUND, **change).faults  # type: ignore[arg-type]
    assert words in fault


def test_ctrl_c_keeps_what_was_reached(images: dict[str, Run], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("toolchain.harness.soak._go_on", interrupted)
    soak = run_soak(images["nrf52840"], load_board("nrf52840"), Console(quiet=True), 1.0, "virtual")
    assert soak.interrupted
    assert json.loads((images["nrf52840"].path / "soak.json").read_text())["interrupted"]
