"""PlatformIO's description of a board, made from board.toml."""

from __future__ import annotations

from typing import Any

from toolchain.board.schema import Board

PLATFORM = "tinyltc"
"""The development platform of firmware/platform."""


def board_manifest(board: Board) -> dict[str, Any]:
    """Return the board's JSON manifest as PlatformIO wants it: sizes are what firmware and variables may take."""
    manifest: dict[str, Any] = {
        "name": board.title,
        "vendor": "TinyLTC",
        "url": f"boards/{board.name}/README.md",
        "platforms": [PLATFORM],
        "frameworks": [],
        "build": {"mcu": board.mcu.lower(), "cpu": board.cpu, "f_cpu": f"{board.clock_hz}L"},
        "upload": {
            "maximum_size": board.program_end - board.memory.application,
            "maximum_ram_size": board.ram_end - board.memory.ram_origin,
            "offset_address": f"{board.memory.application:#010x}",
        },
    }
    if board.flash:
        methods = [method.method for method in board.flash]
        manifest["upload"] |= {"protocol": methods[0], "protocols": methods}
    return manifest
