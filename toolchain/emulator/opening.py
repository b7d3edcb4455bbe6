"""Which emulators are here, and one of them with a board's image in it."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from toolchain.board import Board, EmulatorName
from toolchain.emulator.interface import Emulator
from toolchain.errors import MissingToolError


def absent(name: EmulatorName) -> str | None:
    """Say in a sentence why an emulator is not on this machine; None if it is."""
    from toolchain.emulator.qemu import process
    from toolchain.emulator.renode import monitor

    if name == "qemu":
        return process.missing()
    if name == "renode":
        return monitor.missing()
    if importlib.util.find_spec("unicorn") is None:
        return "The Python package unicorn is not installed (pip install 'tinyltc[emulator]')."
    return None


def open_emulator(name: EmulatorName, board: Board, elf: Path, image: Path | None = None) -> Emulator:
    """Return ``board`` with the image (Intel HEX; without it the ELF's own bytes) under an emulator.

    Raises EmulatorError for a board that it cannot be, MissingToolError where it is not installed.
    """
    board.emulator(name)
    reason = absent(name)
    if reason is not None:
        raise MissingToolError(reason, "Install it, or choose another with --emulator.")
    if name == "qemu":
        from toolchain.emulator.qemu.board import QemuBoard

        return QemuBoard(board, elf, image, count=True)
    if name == "renode":
        from toolchain.emulator.renode.board import RenodeBoard

        return RenodeBoard(board, elf, image)
    from toolchain.emulator.virtual import VirtualEmulator

    return VirtualEmulator(board, elf, image)
