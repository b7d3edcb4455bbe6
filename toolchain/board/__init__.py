"""Boards as data: ``boards/<name>/board.toml``, checked, and what the rest of the toolchain asks of it.

``schema.py`` is the whole file; each of its parts has a module of its own.
"""

from __future__ import annotations

from toolchain.board.currents import Current, Currents
from toolchain.board.emulators import CAPABILITIES, Capability, Emulator, EmulatorName
from toolchain.board.flashing import BossaFlash, DfuFlash, Flash, PyocdFlash, Uf2Flash, UsbId
from toolchain.board.imu import RAD_PER_DEGREE, STANDARD_GRAVITY, Imu
from toolchain.board.load import BOARDS, board_names, load_board
from toolchain.board.memory import Memory, ModelSlot, Reserved
from toolchain.board.pins import Pins, pin_number
from toolchain.board.schema import Board, Console

__all__ = [
    "BOARDS",
    "CAPABILITIES",
    "RAD_PER_DEGREE",
    "STANDARD_GRAVITY",
    "Board",
    "BossaFlash",
    "Capability",
    "Console",
    "Current",
    "Currents",
    "DfuFlash",
    "Emulator",
    "EmulatorName",
    "Flash",
    "Imu",
    "Memory",
    "ModelSlot",
    "Pins",
    "PyocdFlash",
    "Reserved",
    "Uf2Flash",
    "UsbId",
    "board_names",
    "load_board",
    "pin_number",
]
