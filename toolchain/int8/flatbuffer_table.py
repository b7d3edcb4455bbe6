"""Tables of the FlatBuffers binary format. The bytes are not trusted: each offset is checked before it is used.

A table starts with a signed 32-bit offset to its vtable; the vtable holds u16 offsets of the fields, 0 meaning "absent,
take the default"; strings, vectors and tables are reached by u32 offsets that count forward from where they stand.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

MAX_COUNT = 4096
"""More tensors, operators or buffers than this are not a model of ours but damage."""
MAX_NAME = 1024

_T = TypeVar("_T")


class DamageError(Exception):
    """An offset, size or value that the format does not allow."""


class Reader:
    """Bounds-checked reads; a read outside raises DamageError."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def value(self, layout: str, at: int) -> Any:
        """Return the number of struct ``layout`` at byte ``at``."""
        if at < 0 or at + struct.calcsize(layout) > len(self.data):
            raise DamageError(f"byte {at} lies outside")
        return struct.unpack_from(layout, self.data, at)[0]

    def follow(self, at: int) -> int:
        """Return the byte that the u32 offset at ``at`` leads to."""
        return at + int(self.value("<I", at))

    def vector(self, at: int, item_bytes: int) -> tuple[int, int]:
        """Return (first byte, item count) of the vector that the offset at ``at`` points to."""
        start = self.follow(at)
        count = int(self.value("<I", start))
        if start + 4 + count * item_bytes > len(self.data):
            raise DamageError(f"the vector at byte {start} is longer than the file")
        return start + 4, count


class Table:
    """One table; ``slot`` numbers are the schema's field numbers."""

    def __init__(self, reader: Reader, at: int) -> None:
        self.reader = reader
        self.at = at
        self.vtable = at - int(reader.value("<i", at))
        self.vtable_bytes = int(reader.value("<H", self.vtable))

    def position(self, slot: int) -> int | None:
        """Return the first byte of the field, None if it is absent."""
        entry = 4 + 2 * slot
        if entry + 2 > self.vtable_bytes:
            return None
        offset = int(self.reader.value("<H", self.vtable + entry))
        return self.at + offset if offset else None

    def scalar(self, slot: int, layout: str, default: int) -> Any:
        """Return the number in the field."""
        at = self.position(slot)
        return default if at is None else self.reader.value(layout, at)

    def array(self, slot: int, dtype: str) -> npt.NDArray[Any]:
        """Return the vector of numbers in the field, read-only; empty if it is absent."""
        at = self.position(slot)
        if at is None:
            return np.zeros(0, dtype)
        start, count = self.reader.vector(at, np.dtype(dtype).itemsize)
        return np.frombuffer(self.reader.data, dtype, count, start)

    def text(self, slot: int) -> str:
        """Return the string in the field, empty if it is absent."""
        raw = self.array(slot, "|u1")
        if len(raw) > MAX_NAME:
            raise DamageError(f"a name of {len(raw)} bytes")
        try:
            return raw.tobytes().decode()
        except UnicodeDecodeError:
            raise DamageError("a name that is not UTF-8") from None

    def table(self, slot: int) -> Table | None:
        """Return the table in the field, None if it is absent."""
        at = self.position(slot)
        return None if at is None else Table(self.reader, self.reader.follow(at))

    def tables(self, slot: int, make: Callable[[Table], _T]) -> list[_T]:
        """Return what ``make`` makes of each table in the field's vector."""
        at = self.position(slot)
        if at is None:
            return []
        start, count = self.reader.vector(at, 4)
        if count > MAX_COUNT:
            raise DamageError(f"a list of {count} entries")
        return [make(Table(self.reader, self.reader.follow(start + 4 * i))) for i in range(count)]
