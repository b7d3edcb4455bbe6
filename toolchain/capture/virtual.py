"""The virtual board on the wrist of a simulated person, at the pace of real time: capture without any hardware."""

from __future__ import annotations

import io
import threading
from pathlib import Path

import numpy as np
from rich.console import Console

from toolchain.bench.reference_run import write_reference_run
from toolchain.board import Board
from toolchain.build import build
from toolchain.codegen.generate import generate
from toolchain.errors import EmulatorError
from toolchain.harness.emulated import Emulated
from toolchain.harness.feed import Feed
from toolchain.recordings.wearer import Wearer
from toolchain.runs import Run

_UNITS = (8,)
"""A small network: the emulator has its work to do as well."""
_AHEAD_S = 0.04
"""The sensor's samples are made this long before their time."""


def firmware_run(run: Run, board: Board, scratch: Path, console: Console) -> Run:
    """Return a run with a built image for ``board``: ``run`` if it has one, else one with random weights under
    ``scratch``, made when needed. Samples are streamed by any firmware, whatever its network."""
    if (run.firmware / "firmware.hex").exists() and _built_for(run, board):
        return run
    made = Run(scratch / f"capture-{board.name}")
    if not (made.firmware / "firmware.hex").exists():
        console.print(f"Building firmware for the virtual {board.name} (once) ...", highlight=False)
        quiet = Console(file=io.StringIO())
        write_reference_run(made.path, board, _UNITS, 2)
        generate(made, board, "compiled", quiet)
        build(made, board, "compiled", quiet)
    return made


def _built_for(run: Run, board: Board) -> bool:
    return f'"board": "{board.name}"' in (run.firmware / "build.json").read_text(errors="replace")


class WornBoard(Emulated):
    """The virtual board with a wearer whose movements reach the IMU as they happen."""

    def __init__(self, run: Run, board: Board, wearer: Wearer) -> None:
        none = np.empty(0, np.int32)
        super().__init__(run, board, Feed(np.empty((0, 6), np.int16), np.empty(0, np.int64), none, none, ()), "virtual")
        self._wearer = wearer
        self._moving = threading.Lock()

    def run(self, seconds: float) -> None:
        """Run for this much virtual time, with the wearer's movements in it."""
        with self._moving:
            codes, stamps = self._wearer.more(self.seconds + seconds + _AHEAD_S)
        if len(stamps):
            self.feed(codes, stamps)
        super().run(seconds)

    def perform(self, label: str, seconds: float = 0.0) -> None:
        """Ask the wearer for a gesture, now; for the background: for everyday movement of ``seconds``."""
        with self._moving:
            self._wearer.perform(label, self.seconds, seconds)


def has_virtual(board: Board) -> bool:
    """Tell whether the board can be emulated."""
    return "virtual" in board.boots


def worn_board(run: Run, board: Board, wearer: Wearer) -> WornBoard:
    """Return the virtual board; raises EmulatorError when ``board`` has none."""
    if not has_virtual(board):
        raise EmulatorError(f"The board '{board.name}' has no virtual board.", "Plug it in and name its port: --port.")
    return WornBoard(run, board, wearer)
