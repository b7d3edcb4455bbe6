"""What the emulator's tests share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from toolchain.emulator.board import VirtualBoard

Compile = Callable[..., Path]
Run = Callable[..., VirtualBoard]


def word(board: VirtualBoard, name: str, index: int = 0) -> int:
    """A uint32_t variable, or one of an array."""
    return int.from_bytes(board.read_symbol(name)[4 * index : 4 * index + 4], "little")


def words(board: VirtualBoard, name: str) -> list[int]:
    """All elements of a uint32_t array."""
    data = board.read_symbol(name)
    return [int.from_bytes(data[i : i + 4], "little") for i in range(0, len(data), 4)]
