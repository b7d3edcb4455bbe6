"""The linker script and PlatformIO's manifest of every board say what its board.toml says."""

from __future__ import annotations

import pytest

from toolchain.board import Board, board_names, load_board
from toolchain.board.linker import linker_regions, linker_script
from toolchain.board.platformio import board_manifest


@pytest.mark.parametrize("name", board_names())
def test_regions_are_those_of_the_board_file(name: str) -> None:
    board = load_board(name)
    script = linker_script(board)
    found = linker_regions(script)
    wanted = {f"SLOT_{slot.name.upper()}": (slot.origin, slot.bytes) for slot in board.model_slots}
    assert found.keys() == wanted.keys() | {"FLASH", "RAM"}
    assert {slot: found[slot] for slot in wanted} == wanted
    assert found["FLASH"][0] == board.memory.application
    assert found["RAM"][0] == board.memory.ram_origin
    assert f"STACK_BYTES = {board.memory.stack_bytes:#010x};" in script.lower().replace("stack_bytes", "STACK_BYTES")


@pytest.mark.parametrize("name", board_names())
def test_nothing_is_linked_over_what_is_reserved(name: str) -> None:
    board = load_board(name)
    regions = linker_regions(linker_script(board))
    for one in board.memory.reserved:
        for region, (origin, size) in regions.items():
            assert one.end <= origin or origin + size <= one.origin, (region, one.name)
    slots = [(slot.origin, slot.end) for slot in board.model_slots]
    origin, size = regions["FLASH"]
    assert all(end <= origin or origin + size <= start for start, end in slots)


def test_ram_ends_before_what_is_reserved_at_its_end(board: Board) -> None:
    feather = load_board("feather_m4")
    assert linker_regions(linker_script(feather))["RAM"] == (0x2000_0000, 0x3_0000 - 8)
    assert linker_regions(linker_script(board))["RAM"] == (0x2000_0000, 0x4_0000)


@pytest.mark.parametrize("name", board_names())
def test_the_manifest_of_platformio(name: str) -> None:
    board = load_board(name)
    manifest = board_manifest(board)
    region = linker_regions(linker_script(board))["FLASH"]
    assert manifest["build"] == {"mcu": board.mcu.lower(), "cpu": "cortex-m4", "f_cpu": f"{board.clock_hz}L"}
    assert (int(manifest["upload"]["offset_address"], 0), manifest["upload"]["maximum_size"]) == region
    assert manifest["upload"].get("protocols", []) == [method.method for method in board.flash]
