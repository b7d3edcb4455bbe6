"""`tinyltc boards`, and the tables of the documentation, are what the board.toml files say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from toolchain.board import BOARDS, Board, board_names, load_board
from toolchain.board.listing import documents, markdown, to_json, with_table
from toolchain.board.parts import has_parts, require_parts
from toolchain.cli import app
from toolchain.errors import ConfigError

README = BOARDS.parent / "README.md"


@pytest.fixture(scope="module")
def boards() -> list[Board]:
    return [load_board(name, BOARDS) for name in board_names(BOARDS)]


def test_json_is_for_programs(boards: list[Board]) -> None:
    result = CliRunner().invoke(app, ["boards", "--json"])
    assert result.exit_code == 0
    rows = json.loads(result.stdout)
    assert rows == json.loads(to_json(boards))
    for board, row in zip(boards, rows, strict=True):
        assert (row["name"], row["mcu"], row["clock_hz"]) == (board.name, board.mcu, board.clock_hz)
        assert row["builds"] is True
        assert row["boots"] == [one.name for one in board.emulators if "boot" in one.can and one.tried]
        assert row["emulators"].keys() == {"virtual", "qemu", "renode"}


def test_the_readmes_tables_are_those_that_would_be_written(boards: list[Board]) -> None:
    written = documents(boards, README)
    stale = [str(path) for path, text in written.items() if path.read_text() != text]
    assert not stale, "run `tinyltc boards --write`"
    assert {BOARDS / board.name / "README.md" for board in boards} <= written.keys()


def test_every_board_is_a_row(boards: list[Board]) -> None:
    rows = markdown(boards).splitlines()[2:]
    assert [row.split("`")[1] for row in rows] == [board.name for board in boards]


def test_a_table_without_its_place_is_refused() -> None:
    with pytest.raises(ConfigError, match="no place for the table 'boards'"):
        with_table("nothing here", "boards", "", Path("README.md"))


def test_parts_that_the_firmware_does_not_have(boards: list[Board]) -> None:
    other = boards[0].model_copy(update={"soc": "z80"})
    assert has_parts(boards[0])
    assert not has_parts(other)
    with pytest.raises(ConfigError, match="key 'soc': there is no 'z80'"):
        require_parts(other)
