"""A serial port with something behind it: a pty whose other side is a function of bytes."""

from __future__ import annotations

import contextlib
import os
import select
import threading
import tty
from pathlib import Path


class PtyPort:
    """Answers what is written to :attr:`name` with what :meth:`receive` returns, in a thread. A context manager."""

    def __init__(self) -> None:
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.name = os.ttyname(self._slave)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> PtyPort:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._close()

    def _close(self) -> None:
        for handle in (self._master, self._slave):
            with contextlib.suppress(OSError):
                os.close(handle)
        self._master = self._slave = -1

    def receive(self, data: bytes) -> bytes:
        """Return the answer."""
        raise NotImplementedError

    def vanish(self) -> None:
        """The device is unplugged; called from :meth:`receive`."""
        self._stop.set()
        self._close()

    def _serve(self) -> None:
        while not self._stop.is_set():
            if not select.select([self._master], [], [], 0.05)[0]:
                continue
            answer = self.receive(os.read(self._master, 4096))
            while answer and not self._stop.is_set():
                answer = answer[os.write(self._master, answer) :]

    @property
    def path(self) -> Path:
        """Of the port."""
        return Path(self.name)
