"""A newcomer without hardware: capture from the virtual board, and train on what was captured."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from toolchain.board import Board
from toolchain.capture.run import Asked, capture
from toolchain.capture.session import Rhythm
from toolchain.capture.virtual import firmware_run
from toolchain.ltc.train import train
from toolchain.project import project_for_data, with_options
from toolchain.recordings.catalog import resolved
from toolchain.recordings.storage import load_captured, save_captured
from toolchain.runs import Run

pytestmark = pytest.mark.emulated
QUICK = Rhythm(first_s=1.2, ready_s=0.8, gesture_s=1.8, background_s=3.0)


@pytest.fixture(scope="module")
def firmware(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Firmware with random weights, as a capture builds it where there is no run yet."""
    from toolchain.board import load_board

    folder = tmp_path_factory.mktemp("runs")
    run = firmware_run(Run(folder / "nothing"), load_board("nrf52840"), folder, Console(quiet=True))
    assert (run.firmware / "firmware.hex").exists()
    return run


def _capture(board: Board, firmware: Run, folder: Path, person: str) -> Path:
    labels = ("swipe_left", "tap")
    asked = Asked(board, labels, person, folder, 2, "s1", emulator="virtual", run=firmware, seed=4, rhythm=QUICK)
    return capture(asked, Console(quiet=True))


def test_capture_from_the_virtual_board_and_train(board: Board, firmware: Run, tmp_path: Path) -> None:
    folder = tmp_path / "captures" / "mine"
    captured = load_captured(_capture(board, firmware, folder, "ann"))
    facts = json.loads(captured.facts)
    assert (facts["lost"], facts["duplicates"], facts["device_lost"]) == (0, 0, 0)
    assert (facts["port"], facts["finished"]) == ("virtual", True)
    assert captured.source == "captured (simulated person on the virtual board)"
    assert [take.prompt for take in captured.takes] == ["swipe_left", "tap"] * 2
    for take in captured.takes:
        assert take.verdict.level == "good", take.verdict.reasons
        assert set(np.unique(take.recording.labels)) == {0, captured.classes.index(take.prompt)}
    # Two others who moved like her: a split needs three people.
    for person in ("bob", "cy"):
        takes = tuple(replace(t, recording=replace(t.recording, person=person)) for t in captured.takes)
        save_captured(folder / f"{person}-s1.npz", replace(captured, takes=takes))

    project = with_options(project_for_data("npz"), path=folder, layers="6,6", epochs=1)
    project.training.steps_per_epoch = 3
    run = Run(tmp_path / "run")
    assert train(run, resolved(project, board.imu.rate_hz), board, Console(quiet=True)) == "epochs"
    card = json.loads(run.data_json.read_text())
    assert card["classes"] == ["none", "swipe_left", "tap"]
    assert sorted(name for part in card["people"].values() for name in part) == ["ann", "bob", "cy"]
    assert sum(card["windows_by_class"]["train"][name] for name in ("swipe_left", "tap")) == 4
    assert run.weights.exists()
