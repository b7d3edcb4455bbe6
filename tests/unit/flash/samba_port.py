"""A double of a SAM-BA bootloader with Arduino's extensions, on a pty."""

from __future__ import annotations

import re
from collections.abc import Callable

from pty_port import PtyPort

_COMMAND = re.compile(rb"^([A-Z])([0-9A-F]*)(?:,([0-9A-F]*))?#")


class SambaPort(PtyPort):
    """``base``: the flash address that the bootloader calls ``offset``. ``vanish_at``: unplugged at this block."""

    def __init__(
        self,
        flash: bytearray | memoryview,
        start: Callable[[bytes], None],
        *,
        version: str = "Arduino Bootloader double [Arduino:IKXYZ]",
        vanish_at: int | None = None,
        fails_at: int | None = None,
        broken_at: int | None = None,
    ) -> None:
        super().__init__()
        self._flash, self._start, self._version = flash, start, version
        self._vanish_at, self._fails_at, self._broken_at = vanish_at, fails_at, broken_at
        self._bytes = b""
        self._ram: dict[int, bytes] = {}
        self._source = 0
        self._wanted: tuple[int, int] | None = None
        self.blocks = 0
        self.erased_from: int | None = None

    def receive(self, data: bytes) -> bytes:
        self._bytes += data
        answer = b""
        while True:
            if self._wanted is not None:
                address, size = self._wanted
                if len(self._bytes) < size:
                    return answer
                self._ram[address], self._bytes = self._bytes[:size], self._bytes[size:]
                self._wanted = None
            found = _COMMAND.match(self._bytes)
            if found is None:
                return answer
            self._bytes = self._bytes[found.end() :]
            answer += self._command(found[1].decode(), int(found[2] or b"0", 16), int(found[3] or b"0", 16))

    def _command(self, letter: str, first: int, second: int) -> bytes:
        if letter == "N":
            return b"\n\r"
        if letter == "V":
            return self._version.encode() + b"\n\r"
        if letter == "X":
            self.erased_from = first
            self._flash[first:] = b"\xff" * (len(self._flash) - first)
            return b"X\n\r"
        if letter == "S":
            self._wanted = (first, second)
            return b""
        if letter == "R":
            return bytes(self._flash[first : first + second])
        if letter == "Y":
            return self._write(first, second)
        if letter == "K" or (letter, first, second) == ("W", 0xE000ED0C, 0x05FA0004):
            self._start(bytes(self._flash))
        return b""

    def _write(self, first: int, second: int) -> bytes:
        if second == 0:
            self._source = first
            return b"Y\n\r"
        if self.blocks == self._vanish_at:
            self.vanish()
            return b""
        if self.blocks == self._fails_at:
            return b"?\n\r"
        self.blocks += 1
        old = self._flash[first : first + second]
        self._flash[first : first + second] = bytes(a & b for a, b in zip(old, self._ram[self._source], strict=True))
        if self._broken_at is not None and first <= self._broken_at < first + second:
            self._flash[self._broken_at] ^= 0x80
        return b"Y\n\r"
