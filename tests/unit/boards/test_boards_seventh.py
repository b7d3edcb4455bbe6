"""docs/adding-a-board.md, followed to the letter: its example is a board, and no other file is touched."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from toolchain.bench.boards import build_board
from toolchain.board import BOARDS, board_names, load_board
from toolchain.cli import app

REPOSITORY = BOARDS.parent
PAGE = REPOSITORY / "docs" / "adding-a-board.md"


def state_of_the_repository() -> str:
    command = ["git", "-C", str(REPOSITORY), "status", "--porcelain", "--untracked-files=all"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def seventh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The page's example in a folder of its own."""
    (text,) = re.findall(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (name,) = re.findall(r'^name = "(\w+)"$', text.split("[memory]")[0], re.MULTILINE)
    (tmp_path / name).mkdir()
    (tmp_path / name / "board.toml").write_text(text)
    monkeypatch.setenv("TINYLTC_BOARDS", str(tmp_path))
    return name


def test_the_example_is_a_board(seventh: str) -> None:
    assert seventh in board_names()
    assert seventh not in board_names(BOARDS)
    result = CliRunner().invoke(app, ["boards", "--json"])
    assert f'"name": "{seventh}"' in result.stdout
    assert load_board(seventh).boots == ["virtual"]


def test_the_page_knows_every_driver_and_hal() -> None:
    text = PAGE.read_text()
    for name in board_names(BOARDS):
        board = load_board(name, BOARDS)
        if board.imu.bus == "test":
            continue  # nobody solders it
        assert f"`{board.soc}`" in text
        assert f"`{board.imu.part}`" in text
        for key in board.routing:
            assert f"`{key}`" in text


@pytest.mark.skipif(shutil.which("arm-none-eabi-gcc") is None, reason="arm-none-eabi-gcc is not installed")
def test_it_builds_and_touches_nothing_else(seventh: str, tmp_path: Path) -> None:
    before = state_of_the_repository() if (REPOSITORY / ".git").exists() else ""
    built = build_board(load_board(seventh), tmp_path / "run")
    assert built.flash_bytes > 20_000
    assert (tmp_path / "run" / "firmware" / "firmware.hex").read_text().startswith(":020000040002")
    if before or (REPOSITORY / ".git").exists():
        assert state_of_the_repository() == before
