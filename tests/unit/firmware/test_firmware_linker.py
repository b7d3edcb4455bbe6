"""Every board's linker script says what its board.toml says."""

from __future__ import annotations

import pytest

from toolchain.board import Board, board_names, load_board
from toolchain.build import check_linker_script, linker_regions
from toolchain.errors import ConfigError


@pytest.mark.parametrize("name", board_names())
def test_regions_are_those_of_the_board_file(name: str) -> None:
    board = load_board(name)
    regions = linker_regions(check_linker_script(board))
    assert regions["RAM"] == (board.memory.ram_origin, board.memory.ram_bytes)
    for slot in board.model_slots:
        assert regions[f"SLOT_{slot.name.upper()}"] == (slot.origin, slot.bytes)
        assert regions["FLASH"][0] + regions["FLASH"][1] <= slot.origin


@pytest.mark.parametrize(
    ("key", "value", "names"),
    [
        ("ram_bytes", 0x2_0000, "region RAM"),
        ("stack_bytes", 2048, "STACK_BYTES"),
        ("flash_origin", 0x1000, "region FLASH"),
    ],
)
def test_a_contradiction_is_named(board: Board, key: str, value: int, names: str) -> None:
    other = board.model_copy(update={"memory": board.memory.model_copy(update={key: value})})
    with pytest.raises(ConfigError, match=names):
        check_linker_script(other)


def test_a_moved_slot_is_named(board: Board) -> None:
    slots = [board.model_slots[0], board.model_slots[1].model_copy(update={"bytes": 0x4000})]
    with pytest.raises(ConfigError, match="region SLOT_B is 0x8000 bytes"):
        check_linker_script(board.model_copy(update={"model_slots": slots}))


def test_a_board_without_a_script(board: Board) -> None:
    with pytest.raises(ConfigError, match=r"none\.ld does not exist"):
        check_linker_script(board.model_copy(update={"name": "none"}))
