"""Single keys from the terminal, without Enter; nothing where there is no terminal."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO


class Keys:
    """Reads keys that were pressed, without waiting."""

    def __init__(self, file: TextIO | None) -> None:
        self._file = file

    @property
    def there(self) -> bool:
        """Whether there is a keyboard."""
        return self._file is not None

    def pressed(self) -> str:
        """Return the keys pressed since the last call, lower case; empty for none."""
        if self._file is None or not select.select([self._file], [], [], 0)[0]:
            return ""
        data = os.read(self._file.fileno(), 64)
        if not data:
            # The terminal was closed: from now on there is no keyboard.
            self._file = None
        return data.decode(errors="ignore").lower()


@contextmanager
def keyboard() -> Iterator[Keys]:
    """Take the terminal's keys one by one while the block lasts; leaves the terminal as it was."""
    try:
        import termios
        import tty
    except ImportError:
        yield Keys(None)
        return
    if not sys.stdin.isatty():
        yield Keys(None)
        return
    before = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin)
    try:
        yield Keys(sys.stdin)
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
