"""The journal of a capture: every payload as it came, and what the person did, appended record by record.

    file    = "TLTCJNL1" record*          (the first record is the header, JSON)
    record  = size u16, type u8, host time u64 (ns, monotonic), body[size], CRC-32 of all before it in the record

Little-endian. Each record is one write() of the operating system, so killing the program at any moment loses nothing
that was written; :meth:`Journal.sync` (once a second) bounds what a loss of power can take. A damaged stretch is
skipped when reading: what follows it is found again by its CRC.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import struct
import threading
import time
import zlib
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from toolchain.errors import DataError

MAGIC = b"TLTCJNL1"
HEADER, PAYLOAD, EVENT = 0, 1, 2
"""Types of records: JSON about the capture, a payload of the wire, JSON of an event."""
BODY_MAX = 16384
SUFFIX = ".journal"
_HEAD = struct.Struct("<HBQ")
_CRC = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class Entry:
    """One record: its type, the host's monotonic time in nanoseconds, its body."""

    type: int
    host_ns: int
    body: bytes

    def event(self) -> dict[str, Any]:
        """Return the JSON of an EVENT or HEADER record; raises ValueError when it is none."""
        value = json.loads(self.body)
        if not isinstance(value, dict):
            raise ValueError("no object")
        return value


def encode_entry(entry: Entry) -> bytes:
    """Return the bytes of a record; raises ValueError for a body of more than BODY_MAX bytes."""
    if len(entry.body) > BODY_MAX:
        raise ValueError(f"a record holds at most {BODY_MAX} bytes, not {len(entry.body)}")
    record = _HEAD.pack(len(entry.body), entry.type, entry.host_ns) + entry.body
    return record + _CRC.pack(zlib.crc32(record))


class Journal:
    """An open journal, locked so that nobody recovers it meanwhile. Appending is safe from several threads.

    After a failed write (a full disk) nothing more is written and ``failure`` says why; a record is never left out
    silently between two others.
    """

    def __init__(self, path: Path, about: dict[str, Any]) -> None:
        """Create ``path``; raises OSError where that is impossible, a file that exists already included."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.failure: str | None = None
        self.records = 0
        self._lock = threading.Lock()
        self._file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, 0o644)
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        head = MAGIC + encode_entry(Entry(HEADER, time.monotonic_ns(), json.dumps(about).encode()))
        try:
            if os.write(self._file, head) != len(head):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        except OSError:
            os.close(self._file)
            path.unlink()
            raise
        self.sync()

    def __enter__(self) -> Journal:
        """Return the journal itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def append(self, entry: Entry) -> None:
        """Append one record; never raises for the disk's sake: look at ``failure``."""
        data = encode_entry(entry)
        with self._lock:
            if self.failure is not None or self._file < 0:
                return
            try:
                written = os.write(self._file, data)
                if written != len(data):
                    # Half a record is cut off when reading; another write tells why there was no room.
                    written += os.write(self._file, data[written:])
            except OSError as reason:
                self.failure = reason.strerror or str(reason)
                return
            self.records += 1

    def payload(self, payload: bytes, host_ns: int) -> None:
        """Append a payload that came at ``host_ns``."""
        self.append(Entry(PAYLOAD, host_ns, payload))

    def event(self, name: str, **facts: Any) -> None:
        """Append an event that happens now."""
        self.append(Entry(EVENT, time.monotonic_ns(), json.dumps({"event": name} | facts).encode()))

    def sync(self) -> None:
        """Make sure that the disk has what was written."""
        try:
            os.fsync(self._file)
        except OSError as reason:
            self.failure = self.failure or reason.strerror or str(reason)

    def close(self) -> None:
        """Close the file; may be called twice."""
        with self._lock:
            if self._file >= 0:
                self.sync()
                os.close(self._file)
                self._file = -1


@dataclass(frozen=True)
class JournalRead:
    """A journal as it was found: its header, its whole records, and the bytes that belong to none of them."""

    about: dict[str, Any]
    entries: tuple[Entry, ...]
    damaged: int


def _record_at(data: bytes, at: int) -> tuple[Entry, int] | None:
    if at + _HEAD.size + _CRC.size > len(data):
        return None
    size, kind, host_ns = _HEAD.unpack_from(data, at)
    end = at + _HEAD.size + size
    if size > BODY_MAX or kind > EVENT or end + _CRC.size > len(data):
        return None
    if zlib.crc32(data[at:end]) != _CRC.unpack_from(data, end)[0]:
        return None
    return Entry(kind, host_ns, data[at + _HEAD.size : end]), end + _CRC.size


def read_journal(path: Path) -> JournalRead:
    """Read every whole record of a journal; raises DataError for a file that is none, or whose header is gone."""
    hint = "Give a .journal that `tinyltc capture` left behind."
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"{path} does not exist.", hint) from None
    if data[: len(MAGIC)] != MAGIC:
        raise DataError(f"{path} is not a journal of a capture.", hint)
    entries: list[Entry] = []
    at, damaged = len(MAGIC), 0
    while at < len(data):
        found = _record_at(data, at)
        if found is None:
            at, damaged = at + 1, damaged + 1
            continue
        entries.append(found[0])
        at = found[1]
    try:
        about = entries[0].event() if entries and entries[0].type == HEADER else None
    except ValueError:
        about = None
    if about is None:
        raise DataError(f"{path}: the header of the journal is damaged.", hint)
    return JournalRead(about, tuple(entries[1:]), damaged)


def in_use(path: Path) -> bool:
    """Tell whether a running capture still writes this journal."""
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
