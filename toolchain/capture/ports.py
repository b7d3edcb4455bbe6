"""Which port a capture talks to: the one that is named, the only one there is, or the virtual board."""

from __future__ import annotations

from dataclasses import dataclass

from serial.tools import list_ports

from toolchain.board import Board
from toolchain.capture.virtual import has_virtual
from toolchain.errors import ConfigError, LinkError

VIRTUAL = "virtual"


@dataclass(frozen=True)
class Where:
    """``port`` None: the virtual board. ``why``: in words, for the person."""

    port: str | None
    why: str


def usb_ports() -> list[str]:
    """Return the serial ports of USB devices, sorted: a computer's own ports are never a board."""
    return sorted(port.device for port in list_ports.comports() if port.vid is not None)


def choose(board: Board, port: str | None, emulator: str | None) -> Where:
    """Choose the port; raises ConfigError for options that contradict each other, LinkError when there is none."""
    if port is not None and emulator is not None:
        raise ConfigError("--port and --emulator exclude each other.", "Give one of them.")
    if emulator is not None and emulator != VIRTUAL:
        raise ConfigError(f"Nothing can be captured from the emulator '{emulator}'.", f"Write --emulator {VIRTUAL}.")
    if port is not None:
        return Where(port, f"port {port}")
    if emulator is not None:
        return Where(None, f"the virtual {board.name}")
    found = usb_ports()
    if len(found) == 1:
        return Where(found[0], f"port {found[0]}, the only one")
    if found:
        raise LinkError(f"There are {len(found)} serial ports: {', '.join(found)}.", "Name one with --port.")
    if has_virtual(board):
        return Where(None, f"the virtual {board.name}, because no board is plugged in")
    raise LinkError("No board is plugged in, and this one has no virtual board.", "Plug it in, or name its --port.")
