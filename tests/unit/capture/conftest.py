"""A scripted device that sends samples over a pty in real time, or as fast as asked, without an emulator."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolchain.board import Board, load_board
from toolchain.capture.double import ScriptedDevice


@pytest.fixture(scope="session")
def board() -> Board:
    return load_board("nrf52840")


@pytest.fixture
def device(board: Board):
    with ScriptedDevice(board) as made:
        yield made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "captures"
