"""A board that was flashed: the virtual board boots the flash it is given, and its UART is a pty at a fixed path."""

from __future__ import annotations

import contextlib
from pathlib import Path

from toolchain.board import Board
from toolchain.emulator.board import VirtualBoard
from toolchain.emulator.terminal import PseudoTerminal
from toolchain.runs import Run


class Booted:
    """What stands behind a double: :meth:`start` is power-on with that flash. ``run`` gives the symbols."""

    def __init__(self, run: Run, board: Board, port: Path) -> None:
        self._run = run
        self._board = board
        self.port = port
        self.starts = 0
        self._stack = contextlib.ExitStack()

    def start(self, flash: bytes) -> None:
        """Boot ``flash``, the whole of it, in place of whatever runs."""
        self.stop()
        self.starts += 1
        virtual = VirtualBoard(self._board, self._run.firmware / "firmware.elf")
        virtual.write_flash(self._board.memory.flash_origin, flash)
        terminal = PseudoTerminal(virtual, pace=True, link=self.port)
        self._stack.enter_context(terminal.serving())

    def stop(self) -> None:
        """Power off."""
        self._stack.close()
