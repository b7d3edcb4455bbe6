"""The linker script of a board, rendered from one template: regions and stack from board.toml, the rest alike."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from toolchain.board.schema import Board

TEMPLATES = Path(__file__).resolve().parent / "templates"


@dataclass(frozen=True)
class Region:
    """One line of the MEMORY command; ``access`` as GNU ld writes attributes."""

    name: str
    access: str
    origin: int
    bytes: int


def regions(board: Board) -> list[Region]:
    """Return the regions of a board: FLASH from the application to what follows it, the model slots, RAM."""
    memory = board.memory
    slots = [Region(f"SLOT_{slot.name.upper()}", "r", slot.origin, slot.bytes) for slot in board.model_slots]
    return [
        Region("FLASH", "rx", memory.application, board.program_end - memory.application),
        *slots,
        Region("RAM", "rwx", memory.ram_origin, board.ram_end - memory.ram_origin),
    ]


def linker_script(board: Board) -> str:
    """Return the linker script of a board for GNU ld."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("firmware.ld.j2").render(board=board, regions=regions(board))


def linker_regions(text: str) -> dict[str, tuple[int, int]]:
    """Return origin and length in bytes of every region in the MEMORY command of a linker script."""
    found = re.findall(r"(\w+)\s*\(\w+\)\s*:\s*ORIGIN\s*=\s*(\w+),\s*LENGTH\s*=\s*(\w+)", text)
    return {name: (int(origin, 0), int(length, 0)) for name, origin, length in found}
