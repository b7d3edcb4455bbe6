"""Gestures as lines of JSON in a file that is safe after every line."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import TracebackType

from toolchain.errors import DataError
from toolchain.listen.gesture import Gesture


class Journal:
    """Appends a line per gesture; use as a context manager. Raises DataError where the file cannot be written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Unbuffered: a line that did not fit must not be tried again on closing.
            self._file = path.open("ab", buffering=0)
        except OSError as reason:
            raise DataError(f"{path} cannot be written ({reason.strerror}).", "Choose another --log.") from None

    def __enter__(self) -> Journal:
        """Return the journal itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self._file.close()

    def __call__(self, gesture: Gesture) -> None:
        """Append a gesture; it is on the disk when this returns."""
        try:
            self._file.write(json.dumps(gesture.fields()).encode() + b"\n")
            os.fsync(self._file.fileno())
        except OSError as reason:
            raise DataError(
                f"{self._path} takes no more lines ({reason.strerror}).", "Everything before is in it; free some space."
            ) from None
