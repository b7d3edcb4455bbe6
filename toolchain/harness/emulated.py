"""An emulated board as the harness uses it: fed, listened to, run as fast as it goes or served on a pty at pace."""

from __future__ import annotations

import os
import threading
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from toolchain.board import Board, EmulatorName
from toolchain.emulator.opening import open_emulator
from toolchain.harness.feed import Feed
from toolchain.runs import Run

_SLICE_S = 0.005
"""Virtual time between two looks at the pty and at the wall clock."""
_PTY_BACKLOG = 1 << 16
"""Bytes that wait for a reader, as in the buffer of a USB serial adapter; more are dropped, and seen as lost frames."""


def default_emulator(board: Board) -> EmulatorName:
    """Return the emulator that boots the board and is listed first; raises EmulatorError if none does."""
    if not board.boots:
        board.emulator(board.emulators[0].name if board.emulators else "virtual")
    return board.boots[0]


class Emulated:
    """The built image of ``run`` on ``board`` under an emulator, with ``feed`` waiting in its IMU.

    Use it as a context manager, or close it. Raises EmulatorError for a board that the emulator cannot be,
    MissingToolError where it is not installed.
    """

    def __init__(self, run: Run, board: Board, feed: Feed, emulator: EmulatorName | None = None) -> None:
        image = run.firmware / "firmware.hex"
        name = emulator or default_emulator(board)
        self._emulator = open_emulator(name, board, run.firmware / "firmware.elf", image if image.exists() else None)
        self.name, self.hook, self.source = self._emulator.name, self._emulator.hook, self._emulator.source
        self._emulator.feed(feed.codes, feed.t_us)
        self._serving = False

    def __enter__(self) -> Emulated:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the emulator."""
        self._emulator.close()

    @property
    def seconds(self) -> float:
        """Virtual time since power-on."""
        return self._emulator.seconds

    def run(self, seconds: float) -> None:
        """Run for this much virtual time; raises EmulatorError when the board stops for good before."""
        self._emulator.run(seconds)

    def uart_input(self, data: bytes) -> None:
        """Send bytes to the board's receive pin."""
        self._emulator.uart_input(data)

    def take_uart(self) -> bytes:
        """Return the bytes that left the transmit pin since the last call."""
        return self._emulator.take_uart()

    def functions(self) -> list[tuple[str, int]]:
        """Estimated cycles per function, most first; empty where the emulator does not count them."""
        return self._emulator.functions()

    def measured(self) -> dict[str, Any]:
        """What the emulator measured beside."""
        return self._emulator.measured()

    @property
    def serving(self) -> bool:
        """Whether it runs by itself and has not failed."""
        return self._serving

    @contextmanager
    def serve(self) -> Iterator[str]:
        """Run at the pace of real time in a thread while the block lasts; the block gets the pty's path.

        Leaving the block raises what the board raised.
        """
        master, slave = os.openpty()
        tty.setraw(slave)
        os.set_blocking(master, False)
        stop, failures = threading.Event(), list[Exception]()
        thread = threading.Thread(target=self._keep_pace, args=(master, stop, failures), name="emulator")
        self._serving = True
        thread.start()
        try:
            yield os.ttyname(slave)
        finally:
            stop.set()
            thread.join()
            os.close(slave)
            os.close(master)
            if failures:
                raise failures[0]

    def _keep_pace(self, master: int, stop: threading.Event, failures: list[Exception]) -> None:
        start, begin = self.seconds, time.monotonic()
        waiting = b""
        try:
            while not stop.is_set():
                self.run(_SLICE_S)
                waiting = _write(master, waiting + self.take_uart())
                self.uart_input(_read(master))
                ahead = (self.seconds - start) - (time.monotonic() - begin)
                if ahead > 0:
                    stop.wait(ahead)
        except Exception as failure:
            failures.append(failure)
        finally:
            self._serving = False


def _write(master: int, data: bytes) -> bytes:
    """Write what the pty takes; return what must wait."""
    try:
        written = os.write(master, data) if data else 0
    except BlockingIOError:
        written = 0
    return data[written : written + _PTY_BACKLOG]


def _read(master: int) -> bytes:
    try:
        return os.read(master, 4096)
    except BlockingIOError:
        return b""
