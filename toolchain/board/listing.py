"""All boards at a glance: for people, for programs, and as the tables of the documentation."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from toolchain.board.parts import has_parts
from toolchain.board.pins import pin_name
from toolchain.board.schema import Board
from toolchain.errors import ConfigError
from toolchain.files import write_text

_BUSES = {"spi": "SPI", "i2c": "I2C", "test": "memory"}
BEGIN, END = "<!-- {name}: written by tinyltc boards --write -->", "<!-- end of {name} -->"


def row(board: Board) -> dict[str, Any]:
    """Return what programs are told of a board.

    ``emulators`` are those that board.toml names, with what they can do; ``boots`` those that run its image; ``builds``
    is whether the firmware has a HAL and a driver for it (``tinyltc boards --build`` compiles it).
    """
    return {
        "name": board.name,
        "title": board.title,
        "mcu": board.mcu,
        "clock_hz": board.clock_hz,
        "imu": board.imu.part,
        "bus": board.imu.bus,
        "rate_hz": board.imu.rate_hz,
        "flash": [method.method for method in board.flash],
        "emulators": {one.name: {"can": list(one.can), "why": dict(one.why)} for one in board.emulators},
        "builds": has_parts(board),
        "boots": list(board.boots),
    }


def to_json(boards: Iterable[Board]) -> str:
    """Return the rows as JSON."""
    return json.dumps([row(board) for board in boards], indent=2)


def show(boards: Iterable[Board], console: Console) -> None:
    """Print the rows."""
    table = Table(title="Boards")
    for name in ("board", "MCU", "IMU", "flashed by", "builds", "boots on"):
        table.add_column(name)
    for board in boards:
        builds = "yes" if has_parts(board) else "no"
        table.add_row(board.name, _mcu(board), _imu(board), _flash(board), builds, ", ".join(board.boots) or "-")
    console.print(table)


def _mcu(board: Board) -> str:
    return f"{board.mcu}, Cortex-M4F at {board.clock_hz / 1e6:g} MHz"


def _imu(board: Board) -> str:
    if board.imu.bus == "test":
        return f"test IMU in memory, {board.imu.rate_hz:g} Hz"
    return f"{board.imu.part.upper()} on {_BUSES[board.imu.bus]}, {board.imu.rate_hz:g} Hz"


def _flash(board: Board) -> str:
    return ", ".join(dict.fromkeys(method.method for method in board.flash)) or "-"


def markdown(boards: Iterable[Board]) -> str:
    """Return the table of README.md."""
    lines = ["| board | MCU | IMU | flashed by | emulators that run it |", "|---|---|---|---|---|"]
    for board in boards:
        emulators = ", ".join(f"`{name}`" for name in board.boots) or "none"
        link = f"[`{board.name}`](boards/{board.name}/README.md)"
        lines.append(f"| {link} | {_mcu(board)} | {_imu(board)} | {_flash(board)} | {emulators} |")
    return "\n".join(lines) + "\n"


def capabilities(boards: Iterable[Board]) -> str:
    """Return the table of docs/emulators.md: what each emulator can do with each board, and why not the rest."""
    lines = ["| board | emulator | can | cannot |", "|---|---|---|---|"]
    for board in boards:
        for emulator in board.emulators:
            can = ", ".join(emulator.can) or "nothing"
            if not emulator.tried:
                can += " (written, not run)"
            why = " ".join(f"**{name}** {sentence}" for name, sentence in emulator.why.items())
            lines.append(f"| {board.name} | {emulator.name} | {can} | {why} |")
    return "\n".join(lines) + "\n"


def wiring(board: Board) -> str:
    """Return the table of pins of a board's README."""
    lines = ["| signal | pin |", "|---|---|"]
    lines += [
        f"| {name} | {pin_name(pin, not board.soc.startswith('nrf'))} |" for name, pin in board.pins.wired.items()
    ]
    return "\n".join(lines) + "\n"


def memory(board: Board) -> str:
    """Return the table of memory of a board's README."""
    one = board.memory
    ram = board.ram_end - one.ram_origin - one.stack_bytes
    parts = [
        (one.application, board.program_end - one.application, "firmware"),
        *((slot.origin, slot.bytes, f"model slot {slot.name}") for slot in board.model_slots),
        *((region.origin, region.bytes, f"not ours: {region.name}") for region in one.reserved),
        (one.ram_origin, one.stack_bytes, "stack"),
        (one.ram_origin + one.stack_bytes, ram, "variables"),
    ]
    lines = ["| region | from | bytes |", "|---|---|---|"]
    lines += [f"| {name} | {origin:#010x} | {size:,} |" for origin, size, name in sorted(parts)]
    return "\n".join(lines) + "\n"


def with_table(text: str, name: str, table: str, path: Path) -> str:
    """Return ``text`` with ``table`` between the markers of ``name``; raises ConfigError if they are not there once."""
    begin, end = BEGIN.format(name=name), END.format(name=name)
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise ConfigError(f"{path} has no place for the table '{name}'.", f"Put these lines there: {begin} and {end}.")
    before, rest = text.split(begin)
    return f"{before}{begin}\n{table}{end}{rest.split(end)[1]}"


def documents(boards: Iterable[Board], readme: Path) -> dict[Path, str]:
    """Return the text that README.md, docs/emulators.md beside it and every board's README.md should have."""
    boards = list(boards)
    texts = {readme: with_table(readme.read_text(), "boards", markdown(boards), readme)}
    emulators = readme.parent / "docs" / "emulators.md"
    if emulators.is_file():
        texts[emulators] = with_table(emulators.read_text(), "emulators", capabilities(boards), emulators)
    for board in boards:
        path = board.folder / "README.md"
        if path.is_file():
            text = with_table(path.read_text(), "wiring", wiring(board), path)
            texts[path] = with_table(text, "memory", memory(board), path)
    return texts


def write_documents(boards: Iterable[Board], readme: Path, console: Console) -> None:
    """Bring the tables of README.md and of every board's README.md up to date; raises ConfigError as with_table."""
    for path, text in documents(boards, readme).items():
        if path.read_text() != text:
            write_text(path, text)
            console.print(f"Wrote {path}")
