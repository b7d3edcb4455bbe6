"""The page of memory that QEMU's board shares with this process (firmware/hal/mps2/test_bench.h has the same layout).

QEMU keeps the board's PSRAM in a file that both map, so samples cost nothing but the copy.
"""

from __future__ import annotations

import ctypes
import mmap
from pathlib import Path

import numpy as np

from toolchain.emulator.interface import Codes, Times

BYTES = 16 << 20
"""The board's PSRAM; QEMU insists on it."""
FORMAT = 0x31424C54
IDENTITY = 0x7E
ENTRIES = 65536
RUN, RESET, HANG = 0, 1, 2
STUCK = 1
_ENTRY = np.dtype([("t_us", "<u8"), ("code", "<i2", 6), ("unused", "<u4")])


class Registers(ctypes.LittleEndianStructure):
    """``bench_page`` without its queue."""

    _fields_ = (
        ("identity", ctypes.c_uint32),
        ("control", ctypes.c_uint32),
        ("status", ctypes.c_uint32),
        ("out", ctypes.c_int16 * 6),
        ("unused0", ctypes.c_uint32 * 2),
        ("format", ctypes.c_uint32),
        ("command", ctypes.c_uint32),
        ("until_us", ctypes.c_uint64),
        ("now_us", ctypes.c_uint64),
        ("starts", ctypes.c_uint32),
        ("input", ctypes.c_uint32),
        ("queued", ctypes.c_uint32),
        ("taken", ctypes.c_uint32),
        ("delivered", ctypes.c_uint32),
        ("ignored", ctypes.c_uint32),
        ("unused1", ctypes.c_uint32 * 8),
    )


class Page:
    """The mapped file; made here, before QEMU starts."""

    def __init__(self, path: Path) -> None:
        with path.open("wb") as file:
            file.truncate(BYTES)
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), BYTES)
        self.registers = Registers.from_buffer(self._memory)
        self._queue = np.frombuffer(self._memory, _ENTRY, ENTRIES, ctypes.sizeof(Registers))
        self.registers.format, self.registers.identity = FORMAT, IDENTITY

    @property
    def room(self) -> int:
        """Samples that the queue still takes."""
        return ENTRIES - ((self.registers.queued - self.registers.taken) & 0xFFFF_FFFF)

    def put(self, codes: Codes, t_us: Times) -> None:
        """Queue samples; there must be room."""
        place = (self.registers.queued + np.arange(len(t_us))) % ENTRIES
        self._queue["t_us"][place] = t_us
        self._queue["code"][place] = codes
        self.registers.queued = (self.registers.queued + len(t_us)) & 0xFFFF_FFFF

    def close(self) -> None:
        """Let go of it; it is unmapped when the last view of it goes."""
        del self.registers, self._queue, self._memory
