"""The board's UART on a pseudo-terminal, so that a host program opens it like a real serial port.

With ``pace`` the board runs at the speed of the wall clock (if this machine is fast enough; ``late`` says by how much
it was not). Nobody reading: bytes are dropped and counted, as a real UART does, and never block the board.
"""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from toolchain.emulator.board import VirtualBoard
from toolchain.errors import EmulatorError

SLICE_S = 0.001
"""Virtual time between two looks at the host's side and the wall clock."""


class PseudoTerminal:
    """A pseudo-terminal in raw mode. Use as a context manager, or through :meth:`serving`.

    ``name`` is the path to open; ``dropped`` counts bytes that nobody read; ``late`` is the largest delay in seconds
    behind the wall clock.
    """

    def __init__(self, board: VirtualBoard, *, pace: bool = True, link: Path | None = None) -> None:
        """``link``: a symbolic link to make to the terminal, replaced if it exists."""
        try:
            import pty
            import tty
        except ImportError:
            raise EmulatorError(
                "This system has no pseudo-terminals.", "Run on Linux, or capture the bytes at the pin."
            ) from None
        self.board = board
        self.dropped = 0
        self.late = 0.0
        self._pace = pace
        self._stop = threading.Event()
        self._master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.name = os.ttyname(self._slave)
        self._link = link
        if link is not None:
            link.unlink(missing_ok=True)
            link.symlink_to(self.name)
        self._waiting = bytearray()
        board.on_uart = self._collect

    def __enter__(self) -> PseudoTerminal:
        """The terminal itself; it is open already."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    def close(self) -> None:
        """Close the terminal; the board stays as it is."""
        self.board.on_uart = None
        os.close(self._master)
        os.close(self._slave)
        if self._link is not None:
            self._link.unlink(missing_ok=True)

    def _collect(self, data: bytes, cycles: int) -> None:
        self._waiting += data

    def _exchange(self) -> None:
        if self._waiting:
            try:
                written = os.write(self._master, self._waiting)
            except BlockingIOError:
                written = 0
            self.dropped += len(self._waiting) - written
            self._waiting.clear()
        if select.select([self._master], [], [], 0)[0]:
            with contextlib.suppress(OSError):
                self.board.uart_input(os.read(self._master, 4096))

    def run(self, seconds: float | None = None) -> None:
        """Run the board for this much virtual time (None: until it stops or :meth:`stop`), exchanging bytes."""
        board = self.board
        start, began = board.cycles, time.monotonic()
        end = None if seconds is None else start + round(seconds * board.clock_hz)
        while not self._stop.is_set() and board.stop_reason is None and (end is None or board.cycles < end):
            until = board.cycles + round(SLICE_S * board.clock_hz)
            board.run_until(until if end is None else min(until, end))
            self._exchange()
            if self._pace:
                ahead = (board.cycles - start) / board.clock_hz - (time.monotonic() - began)
                if ahead > 0:
                    time.sleep(ahead)
                else:
                    self.late = max(self.late, -ahead)

    def stop(self) -> None:
        """Make :meth:`run` return soon; for other threads."""
        self._stop.set()

    @contextlib.contextmanager
    def serving(self, seconds: float | None = None) -> Iterator[PseudoTerminal]:
        """Run the board in a thread while the block runs; what went wrong there is raised at the block's end."""
        failed: list[BaseException] = []

        def work() -> None:
            try:
                self.run(seconds)
            except BaseException as error:
                failed.append(error)

        thread = threading.Thread(target=work, name="virtual board", daemon=True)
        thread.start()
        try:
            yield self
            if seconds is not None:
                thread.join()
        finally:
            self.stop()
            thread.join()
            self.close()
        if failed:
            raise failed[0]
