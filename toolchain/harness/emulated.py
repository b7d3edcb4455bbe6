"""The virtual board as the harness uses it: fed, listened to, run as fast as it goes or served on a pty at pace."""

from __future__ import annotations

import os
import threading
import time
import tty
from collections.abc import Iterator
from contextlib import contextmanager

from toolchain.board import Board, EmulatorName
from toolchain.emulator.board import VirtualBoard
from toolchain.errors import EmulatorError
from toolchain.harness.feed import Feed
from toolchain.runs import Run

SOURCE = "emulated (cycle estimate)"
_SLICE_S = 0.005
"""Virtual time between two looks at the pty and at the wall clock."""
_PTY_BACKLOG = 1 << 16
"""Bytes that wait for a reader, as in the buffer of a USB serial adapter; more are dropped, and seen as lost frames."""


class Emulated:
    """The built image of ``run`` on the virtual ``board``, with ``feed`` waiting in its IMU.

    Raises EmulatorError for a board that the virtual board cannot be, MissingToolError without Unicorn.
    """

    name: EmulatorName = "virtual"

    def __init__(self, run: Run, board: Board, feed: Feed) -> None:
        board.emulator(self.name)
        image = run.firmware / "firmware.hex"
        self._board = VirtualBoard(board, run.firmware / "firmware.elf", image if image.exists() else None)
        self._board.on_uart = self._take_byte
        self._board.feed(feed.codes, feed.t_us)
        self._sent = bytearray()
        self._serving = False

    def _take_byte(self, byte: bytes, _cycles: int) -> None:
        self._sent += byte

    @property
    def seconds(self) -> float:
        """Virtual time since power-on."""
        return self._board.cycles / self._board.clock_hz

    @property
    def hook(self) -> str:
        """Which block hook counts the cycles: ``c`` or ``python``."""
        return self._board.hook

    def run(self, seconds: float) -> None:
        """Run for this much virtual time; raises EmulatorError when the board stops for good before."""
        self._board.run(seconds)
        if self._board.stop_reason is not None:
            raise EmulatorError(
                f"The virtual board stopped after {self.seconds:.3f} s: {self._board.stop_reason}.",
                "Look at the firmware's log messages.",
            )

    def uart_input(self, data: bytes) -> None:
        """Send bytes to the board's receive pin."""
        self._board.uart_input(data)

    def take_uart(self) -> bytes:
        """Return the bytes that left the transmit pin since the last call."""
        taken = bytes(self._sent)
        self._sent.clear()
        return taken

    def functions(self) -> list[tuple[str, int]]:
        """Estimated cycles per function, most first."""
        return list(self._board.function_cycles().items())

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
        thread = threading.Thread(target=self._keep_pace, args=(master, stop, failures), name="virtual board")
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
